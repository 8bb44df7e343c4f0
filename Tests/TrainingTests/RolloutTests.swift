import Configuration
import Foundation
import Safetensors
import Testing
import Torch

@testable import Training

@Suite("Rollouts")
struct RolloutTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// One rollout of sixteen responses and eight updates, in the order of the prompts, recorded.
    private func configuration(_ stage: Configuration.Stage, _ truncation: Truncation) throws -> TrainConfiguration {
        var configuration = try workshop.configuration(stage)
        configuration.data.keepsOrder = true
        configuration.reinforcement.rolloutBatchSize = 16
        configuration.reinforcement.savesRollouts = true
        configuration.reinforcement.truncation = truncation
        return configuration
    }

    @Test(
        "recorded and read again train the same weights",
        arguments: [Configuration.Stage.ppo, .rto],
        [Truncation.forceEndOfSequence, .keep, .penalize]
    )
    func recorded(stage: Configuration.Stage, truncation: Truncation) throws {
        var configuration = try configuration(stage, truncation)
        let sampled = try workshop.train(configuration)
        configuration.loop.output += "-again"
        configuration.reinforcement.rollouts = sampled.url.appending(path: "rollouts/step-1.safetensors").path
        let read = try workshop.train(configuration)
        // Sampled, the policy's log-probabilities are the sampler's; recorded, they are the scorer's.
        #expect(try largestDifference(read, sampled) < 1e-5)
        let (first, second) = (
            try sampled.tensors("rollouts/step-1.safetensors"), try read.tensors("rollouts/step-1.safetensors")
        )
        #expect(first.keys == second.keys)
        for (name, column) in first {
            let other = try #require(second[name]).to(.float64)
            #expect((column.to(.float64) - other).magnitude().max().scalar < 1e-4, "\(name)")
        }
        // Measured in the first update against the weights that sampled, and reported with the whole rollout.
        let differences = try sampled.metrics.map { try #require($0["rollout/logprob_difference"]) }
        #expect(differences.allSatisfy { $0 < 1e-5 && $0 == differences[0] })
        #expect(try read.metrics.allSatisfy { $0["rollout/logprob_difference"] == nil })
        let entropies = try [sampled, read].map { try #require($0.metrics[0]["objective/entropy"]) }
        #expect(abs(entropies[0] - entropies[1]) < 1e-5)
    }

    @Test("in bfloat16 the scorer scores what the sampler sampled")
    func bfloat16() throws {
        var configuration = try configuration(.ppo, .forceEndOfSequence)
        configuration.compute.precision = .bfloat16
        let sampled = try workshop.train(configuration)
        configuration.loop.output += "-again"
        configuration.reinforcement.rollouts = sampled.url.appending(path: "rollouts/step-1.safetensors").path
        #expect(try workshop.train(configuration).modelBytes == sampled.modelBytes)
        #expect(try #require(sampled.metrics[0]["rollout/logprob_difference"]) > 0)
    }

    @Test("the columns belong together")
    func columns() throws {
        let run = try workshop.train(try configuration(.rto, .forceEndOfSequence))
        let columns = try run.tensors("rollouts/step-1.safetensors")
        func numbers(_ name: String) throws -> [Double] { try #require(columns[name]).doubles }
        let offsets = try #require(columns["sequence_offsets"]).integers
        let prompts = try #require(columns["prompt_lengths"]).integers
        #expect(try #require(columns["tokens"]).count == offsets.last)
        let responses = zip(zip(offsets.dropFirst(), offsets).map { $0 - $1 }, prompts).map { $0 - $1 }
        #expect(try numbers("kl").count == responses.reduce(0, +))
        #expect(try numbers("scores").count == 16 && responses.allSatisfy { (1...6).contains($0) })
        func isSum(_ whole: String, _ first: String, _ second: String) throws -> Bool {
            zip(try numbers(whole), zip(try numbers(first), try numbers(second))).allSatisfy {
                abs($0 - $1.0 - $1.1) < 1e-5
            }
        }
        #expect(try isSum("returns", "advantages", "values"))
        #expect(try isSum("log_probabilities", "kl", "reference_log_probabilities"))
        // β₁ 0.05, and the clip at 0.05.
        let dense = zip(try numbers("dpo_log_probabilities"), try numbers("reference_log_probabilities"))
            .map { max(-0.05, min(0.05, 0.05 * ($0 - $1))) }
        #expect(zip(dense, try numbers("token_rewards")).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(Set(dense.map { abs($0) < 0.0499 }).count == 2)
    }

    /// The last tokens of responses, whether they finished, and what the tokens of each were paid.
    private func ends(_ run: TrainedRun) throws -> [(last: Int, isFinished: Bool, rewards: [Double], score: Double)] {
        let columns = try run.tensors("rollouts/step-1.safetensors")
        let tokens = try #require(columns["tokens"]).integers
        let offsets = try #require(columns["sequence_offsets"]).integers
        let prompts = try #require(columns["prompt_lengths"]).integers
        let finished = try #require(columns["finished"]).booleans
        let scores = try #require(columns["scores"]).doubles
        var rewards = try #require(columns["rewards"]).doubles[...]
        return prompts.indices.map { row in
            let length = offsets[row + 1] - offsets[row] - prompts[row]
            defer { rewards = rewards.dropFirst(length) }
            return (tokens[offsets[row + 1] - 1], finished[row], Array(rewards.prefix(length)), scores[row])
        }
    }

    @Test("a response cut by the length limit", arguments: [Truncation.forceEndOfSequence, .keep, .penalize])
    func truncation(truncation: Truncation) throws {
        var configuration = try configuration(.ppo, truncation)
        configuration.reinforcement.klCoefficient = 0
        configuration.reinforcement.rewardClip = 0.25
        configuration.reinforcement.rewardCoefficient = 2
        let run = try workshop.train(configuration)
        let ends = try ends(run)
        #expect(Set(ends.map(\.isFinished)).count == 2, "both kinds must be there for the test to mean anything")
        for end in ends {
            let isEnd = end.last == Workshop.endOfSequence
            #expect(isEnd == (end.isFinished || truncation == .forceEndOfSequence))
            let clipped = max(-0.25, min(0.25, end.score))
            let paid = truncation == .penalize && !end.isFinished ? -0.25 : clipped
            #expect(abs((end.rewards.last ?? .nan) - 2 * paid) < 1e-6)
            #expect(end.rewards.dropLast().allSatisfy { $0 == 0 })
        }
        let cut = Double(ends.count { !$0.isFinished }) / 16
        #expect(try run.metrics.first?["response_length/truncated"] == cut)
    }

    @Test("scores are normalised by the reward model's own mean and deviation")
    func normalization() throws {
        var configuration = try configuration(.ppo, .keep)
        let raw = try ends(workshop.train(configuration)).map(\.score)
        configuration.loop.output += "-normalised"
        configuration.reinforcement.normalizeReward = true
        let normalised = try ends(workshop.train(configuration)).map(\.score)
        for (raw, normalised) in zip(raw, normalised) { #expect(abs((raw - 0.1) / 0.5 - normalised) < 1e-5) }
    }

    @Test("normalisation is refused where the reward model has no mean and deviation, and nothing is left")
    func normalizationWithoutStatistics() throws {
        var configuration = try workshop.configuration(.ppo)
        configuration.reinforcement.rewardModel = try workshop.rewardModel("plain", seed: 7)
        configuration.reinforcement.normalizeReward = true
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("\"mean\" and \"std\"") == true)
        #expect(!FileManager.default.fileExists(atPath: workshop.path("run")))
    }

    @Test("a forced end needs an end of sequence")
    func noEndOfSequence() throws {
        var configuration = try workshop.configuration(.ppo)
        configuration.model.model = try workshop.languageModel("endless", seed: 1, ["eos_token_id": nil])
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("--truncation keep") == true)
        configuration.model.model = try workshop.languageModel("beyond", seed: 1, ["eos_token_id": 99])
        configuration.loop.output += "-beyond"
        #expect(throws: TrainingError.self) { try workshop.train(configuration) }
    }

    @Test("a model of another vocabulary is refused", arguments: ["reward", "reference", "critic", "DPO"])
    func vocabularies(role: String) throws {
        var configuration = try workshop.configuration(.rto)
        let other = try workshop.languageModel("other", seed: 9, ["vocab_size": 40])
        switch role {
        case "reference": configuration.model.referenceModel = other
        case "critic": configuration.reinforcement.criticModel = other
        case "DPO": configuration.tokenReward.dpoModel = other
        default:
            configuration.model.model = other
            configuration.model.referenceModel = other
        }
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("vocabulary") == true)
        #expect(!FileManager.default.fileExists(atPath: workshop.path("run")))
    }

    @Test(
        "recorded columns that do not fit are refused by name",
        arguments: ["tokens", "sequence_offsets", "finished"]
    )
    func badColumns(name: String) throws {
        var columns: [String: Tensor] = [
            "tokens": Tensor([1, 5, 6, 7, 1, 8]), "sequence_offsets": Tensor([0, 4, 6]),
            "prompt_lengths": Tensor([2, 1]), "finished": Tensor([true, false]),
        ]
        let url = workshop.directory.url.appending(path: "rollouts.safetensors")
        func read() throws -> [Rollout.Sequence] {
            try writeTensors(columns.map { (name: $0.key, tensor: $0.value) }, to: url)
            return try RecordedRollouts.read(url.path, vocabularySize: Workshop.vocabularySize)
        }
        let good = try read()
        #expect(good.map(\.prompt) == [[1, 5], [1]] && good.map(\.response) == [[6, 7], [8]])
        #expect(good.map(\.isFinished) == [true, false])
        let bad: [Tensor?] = [
            nil, Tensor([1.5, 2]), Tensor([0, 4, 99]), Tensor([0, 6, 4]),
            Tensor([[0, 4], [6, 6]].flatMap { $0 }, shape: [2, 2]),
        ]
        for tensor in bad {
            columns[name] = tensor
            #expect(throws: TrainingError.self) { try read() }
        }
    }
}
