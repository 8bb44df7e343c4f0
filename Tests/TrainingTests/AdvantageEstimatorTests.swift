import Configuration
import Foundation
import Testing
import Torch

@testable import Training

@Suite("Estimators of advantages")
struct AdvantageEstimatorTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    static let withoutCritic = AdvantageEstimator.allCases.filter { !$0.needsCritic }

    private func configuration(_ stage: Configuration.Stage, _ estimator: AdvantageEstimator) throws
        -> TrainConfiguration
    {
        var configuration = try workshop.configuration(stage)
        configuration.reinforcement.estimate(by: estimator)
        configuration.reinforcement.sampling.samplesPerPrompt = 4
        configuration.reinforcement.savesRollouts = true
        configuration.loop.maxSteps = 6
        return configuration
    }

    private func column(_ run: TrainedRun, _ name: String) throws -> Tensor {
        try #require(run.tensors("rollouts/step-1.safetensors")[name] as Tensor?)
    }

    @Test("without a critic none is loaded, trained, saved or reported", arguments: withoutCritic)
    func noCritic(estimator: AdvantageEstimator) throws {
        var configuration = try configuration(.ppo, estimator)
        configuration.loop.saveEvery = 1
        try configuration.check()
        let run = try workshop.train(configuration)
        let names = try run.metrics[0].keys.filter { $0.hasPrefix("value/") || $0.hasPrefix("critic") }
        #expect(names.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: run.path + "/checkpoint-1/critic"))
        #expect(!FileManager.default.fileExists(atPath: run.path + "/checkpoint-1/critic_optimizer.safetensors"))
        #expect(try run.tensors("rollouts/step-1.safetensors")["values"] == nil)
        #expect(try run.metrics.allSatisfy { ($0["grad_norm"] ?? 0) > 0 })
    }

    @Test("the samples of a prompt stay together, and what they are paid follows from their scores")
    func groups() throws {
        var configuration = try configuration(.ppo, .leaveOneOut)
        configuration.reinforcement.klCoefficient = 0
        let run = try workshop.train(configuration)
        let tokens = try column(run, "tokens").integers
        let offsets = try column(run, "sequence_offsets").integers
        let lengths = try column(run, "prompt_lengths").integers
        let prompts = lengths.indices.map { Array(tokens[offsets[$0]..<offsets[$0] + lengths[$0]]) }
        #expect(prompts.indices.allSatisfy { prompts[$0] == prompts[$0 / 4 * 4] })
        #expect(prompts[0] != prompts[4])
        let scores = try column(run, "scores").doubles
        let advantages = try column(run, "whitened_advantages").doubles
        var start = 0
        for row in scores.indices {
            let length = offsets[row + 1] - offsets[row] - lengths[row]
            let group = scores[row / 4 * 4..<row / 4 * 4 + 4].reduce(0, +)
            let expected = scores[row] - (group - scores[row]) / 3
            #expect(advantages[start..<start + length].allSatisfy { abs($0 - expected) < 1e-5 })
            start += length
        }
    }

    @Test(
        "RTO's token rewards join every estimator; with β₁ = 0 it is that estimator to the bit",
        arguments: withoutCritic
    )
    func tokenRewards(estimator: AdvantageEstimator) throws {
        var configuration = try configuration(.rto, estimator)
        let rto = try workshop.train(configuration)
        let dense = try column(rto, "token_rewards").doubles
        #expect(dense.contains { $0 != 0 })
        configuration.tokenReward.scale = 0
        configuration.loop.output += "-none"
        let none = try workshop.train(configuration)
        var plain = try self.configuration(.ppo, estimator)
        plain.loop.output += "-ppo"
        plain.optimizer.learningRate = configuration.optimizer.learningRate
        #expect(try workshop.train(plain).modelBytes == none.modelBytes)
        #expect(try rto.modelBytes != none.modelBytes)
        // Gₜ = rₜ + Gₜ₊₁, so both runs' returns differ by the sum of the token rewards from there on.
        let (with, without) = (try column(rto, "returns").doubles, try column(none, "returns").doubles)
        let offsets = try column(rto, "sequence_offsets").integers
        let length = offsets[1] - (try column(rto, "prompt_lengths").integers[0])
        for token in 0..<length {
            #expect(abs(with[token] - without[token] - dense[token..<length].reduce(0, +)) < 1e-5)
        }
    }

    @Test("recorded groups are compared where they are whole, and refused where they are not")
    func recorded() throws {
        var configuration = try configuration(.ppo, .groupNormalized)
        configuration.data.keepsOrder = true
        configuration.loop.maxSteps = 4
        let sampled = try workshop.train(configuration)
        configuration.reinforcement.rollouts = sampled.path + "/rollouts/step-1.safetensors"
        configuration.loop.output += "-again"
        #expect(try largestDifference(workshop.train(configuration), sampled) < 1e-5)
        configuration.reinforcement.sampling.samplesPerPrompt = 8
        configuration.loop.output += "-mixed"
        let mixed = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(mixed?.description.contains("another prompt") == true)
        configuration.reinforcement.sampling.samplesPerPrompt = 3
        let broken = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(broken?.description.contains("no whole groups") == true)
        #expect(!FileManager.default.fileExists(atPath: configuration.loop.output))
    }

    @Test("the KL penalty in the loss leaves the rewards and holds the policy", arguments: KLEstimatorChoice.allCases)
    func klInLoss(estimator: KLEstimatorChoice) throws {
        var configuration = try configuration(.ppo, .groupNormalized)
        configuration.reinforcement.klInLoss = true
        configuration.reinforcement.klEstimator = estimator
        configuration.reinforcement.klCoefficient = 0.5
        let run = try workshop.train(configuration)
        let first = try run.metrics[0]
        let loss = (first["policy/loss"] ?? .nan) + 0.5 * (first["policy/kl"] ?? .nan)
        #expect(abs((first["loss"] ?? .nan) - loss) < 1e-6)
        // Paid are the scores, whose groups sum to 0.
        #expect(abs(first["objective/rlhf_reward"] ?? .nan) < 1e-5)
        // Alone, and over the same tokens again, it brings the policy to its reference.
        configuration.reinforcement.rewardModels = []
        configuration.reinforcement.rewardCoefficient = 0
        configuration.reinforcement.rollouts = run.path + "/rollouts/step-1.safetensors"
        configuration.reinforcement.epochs = 10
        configuration.loop.maxSteps = 20
        configuration.optimizer.epsilon = 1e-8
        configuration.loop.output += "-alone"
        let alone = try workshop.train(configuration).metrics.compactMap { $0["policy/kl"] }
        #expect(alone.count == 20)
        #expect(estimator == .k1 || alone[18] + alone[19] < 0.5 * (alone[0] + alone[1]), "\(alone)")
    }

    @Test("Dr. GRPO's constant: the loss is a sum over the longest response, statistics stay means")
    func constant() throws {
        var configuration = try configuration(.ppo, .groupCentered)
        configuration.optimizer.lossNormalization = .constant
        configuration.loop.maxSteps = 1
        let constant = try workshop.train(configuration)
        configuration.optimizer.lossNormalization = .token
        configuration.loop.output += "-token"
        let token = try workshop.train(configuration)
        let (first, second) = (try constant.metrics[0], try token.metrics[0])
        #expect(abs((first["policy/ratio"] ?? 0) - 1) < 1e-5)
        // Tokens of the batch over rows · longest.
        let share = (first["grad_norm"] ?? 0) / (second["grad_norm"] ?? 1)
        #expect((0.3..<1).contains(share), "\(share)")
    }
}
