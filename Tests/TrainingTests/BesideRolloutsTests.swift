import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Testing
import Torch

@testable import Training

@Suite("Averages, pretraining texts and frozen starts")
struct BesideRolloutsTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func configuration(_ stage: Configuration.Stage = .ppo, output: String = "run") throws -> TrainConfiguration
    {
        var configuration = try workshop.configuration(stage, output: output)
        configuration.optimizer.schedule = .constant
        configuration.optimizer.warmupRatio = 0
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        return configuration
    }

    private func expectAverage(_ run: TrainedRun, of decay: Double, steps: Int, start: String) throws {
        var expected = try TrainedRun(url: URL(filePath: start)).tensors("model.safetensors").mapValues {
            $0.to(.float64)
        }
        for step in 1...steps {
            for (name, weight) in try run.tensors("checkpoint-\(step)/model.safetensors") {
                expected[name] = expected[name].map { decay * $0 + (1 - decay) * weight.to(.float64) }
            }
        }
        for (name, average) in try run.tensors("ema/model.safetensors") {
            let expected = try #require(expected[name] as Tensor?)
            #expect((average.to(.float64) - expected).magnitude().max().scalar < 1e-6, "\(name)")
        }
    }

    @Test("the moving average is Σ of the steps' weights, a model of its own, and changes nothing else")
    func average() throws {
        var configuration = try configuration()
        configuration.loop.maxSteps = 3
        let plain = try workshop.train(configuration)
        configuration.reinforcement.emaDecay = 0.7
        configuration.loop.output += "-averaged"
        let run = try workshop.train(configuration)
        #expect(try run.modelBytes == plain.modelBytes)
        #expect(try run.repeatableMetrics == plain.repeatableMetrics)
        try expectAverage(run, of: 0.7, steps: 3, start: configuration.model.model)
        _ = try LanguageModel.load(run.url.appending(path: "ema"), .frozen(), precision: .float32)
        configuration.reinforcement.emaDecay = 0
        configuration.loop.output += "-none"
        let none = try workshop.train(configuration)
        #expect(try TrainedRun(url: none.url.appending(path: "ema")).modelBytes == none.modelBytes)
    }

    @Test("without rewards, pretraining texts of weight 1 train as supervised fine-tuning on whole texts does")
    func pretraining() throws {
        let rows = (0..<8).map { row -> String in
            let ids = JSON.array(Workshop.ids(4 + row % 4, row).map(JSON.integer))
            let object: JSON = ["input_ids": ids, "prompt_length": 0]
            return object.serialized() + "\n"
        }
        let texts = try workshop.directory.write("texts.jsonl", rows.joined())
        var ppo = try configuration()
        ppo.data.keepsOrder = true
        ppo.loop.maxSteps = 2
        ppo.reinforcement.estimate(by: .reinforce)
        ppo.reinforcement.rewardModels = []
        ppo.reinforcement.rewardCoefficient = 0
        ppo.reinforcement.klCoefficient = 0
        ppo.reinforcement.ptxSources = [.init(path: texts)]
        ppo.reinforcement.ptxCoefficient = 1
        let mixed = try workshop.train(ppo)
        var sft = try configuration(.sft, output: "sft")
        sft.data.keepsOrder = true
        sft.data.sources = [.init(path: texts)]
        let tuned = try workshop.train(sft)
        #expect(try largestDifference(mixed, tuned) < 1e-6)
        for (found, expected) in zip(try mixed.metrics, try tuned.metrics) {
            #expect(abs((found["ptx/loss"] ?? .nan) - (expected["loss"] ?? 0)) < 1e-5)
            #expect(abs((found["loss"] ?? .nan) - (expected["loss"] ?? 0)) < 1e-5)
        }
        // Their order is not that of the prompts, and follows from the seed.
        ppo.data.keepsOrder = false
        let losses = try [1, 1, 2].enumerated().map { run, seed in
            ppo.loop.seed = seed
            ppo.loop.output = workshop.path("seed-\(run)")
            return try workshop.train(ppo).metrics.compactMap { $0["ptx/loss"] }
        }
        #expect(losses[0] == losses[1] && losses[0] != losses[2])
    }

    @Test("fewer texts than a batch are refused, and so are other texts on resuming")
    func fewTexts() throws {
        var configuration = try configuration()
        configuration.loop.maxSteps = 2
        configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(3))]
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.description.contains("3 usable texts of --ptx-data") == true)
        configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(5))]
        let killed = try workshop.train(configuration).killed(after: 1, as: "killed")
        _ = try workshop.examples(6)
        let changed = #expect(throws: DatasetError.self) { try resume(run: killed.path) }
        #expect(changed?.description.contains("no longer those that the run was started on") == true)
    }

    @Test("a frozen policy waits while the critic learns, and then learns")
    func frozen() throws {
        var configuration = try configuration()
        configuration.loop.maxSteps = 4
        configuration.reinforcement.freezeActorSteps = 2
        let run = try workshop.train(configuration)
        let start = TrainedRun(url: URL(filePath: configuration.model.model))
        let critic = TrainedRun(url: URL(filePath: configuration.criticDirectory))
        func checkpoint(_ step: Int, _ name: String = "") -> TrainedRun {
            TrainedRun(url: run.url.appending(path: "checkpoint-\(step)\(name)"))
        }
        #expect(try largestDifference(checkpoint(2), start) == 0)
        #expect(try largestDifference(checkpoint(3), start) > 0)
        #expect(try largestDifference(checkpoint(1, "/critic"), critic) > 0)
        let metrics = try run.metrics
        #expect(metrics.map { $0["learning_rate"] == 0 } == [true, true, false, false])
        #expect(metrics.map { $0["grad_norm"] == 0 } == [true, true, false, false])
        #expect(metrics.allSatisfy { ($0["critic_grad_norm"] ?? 0) > 0 && $0["policy/loss"] != nil })
    }

    @Test("memory that an estimator and an average take is known before models are loaded")
    func memory() throws {
        func bytes(_ change: (inout ReinforcementSettings) -> Void) throws -> Int {
            var configuration = try configuration()
            change(&configuration.reinforcement)
            let run = try RunDirectory(
                new: workshop.path("memory-\(UUID().uuidString)"),
                recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
            )
            return StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu).modelBytes
        }
        let policy =
            try TrainedRun(url: URL(filePath: workshop.languageModel("counted", seed: 1)))
            .tensors("model.safetensors").values.map(\.count).reduce(0, +) * 4
        let whole = try bytes { _ in }
        #expect(try bytes { $0.emaDecay = 0.9 } == whole + policy)
        // The policy's shape: weights, gradients and two moments.
        #expect(try bytes { $0.advantage = .reinforce } == whole - 4 * policy)
        #expect(try bytes { $0.rewardModels.append(.init(path: workshop.path("counted"))) } == whole + policy)
        // Models of one directory share its weights.
        #expect(try bytes { $0.rewardModels += $0.rewardModels } == whole)
    }

    @Test(
        "absurd rates end with status 75 and leave a checkpoint that loads",
        arguments: [AdvantageEstimator.gae, .reinforce]
    )
    func divergence(estimator: AdvantageEstimator) throws {
        var configuration = try configuration()
        configuration.reinforcement.estimate(by: estimator)
        configuration.optimizer.warmupRatio = 0.1
        configuration.optimizer.learningRate = 1e39
        configuration.optimizer.epsilon = 1e-8
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.exitStatus == .diverged)
        let run = TrainedRun(url: URL(filePath: configuration.loop.output))
        let last = try #require(try run.fileNames.last { $0.hasPrefix("checkpoint-") })
        for tensor in try run.tensors(last + "/model.safetensors").values { #expect(tensor.isFinite().allTrue()) }
        _ = try LanguageModel.load(run.url.appending(path: last), .frozen(), precision: .float32)
        // Without checkpoints the next rollouts are sampled from such weights, which must not trap.
        configuration.loop.saveEvery = nil
        configuration.reinforcement.rolloutBatchSize = 4
        configuration.reinforcement.epochs = 1
        configuration.loop.output += "-late"
        let late = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(late?.exitStatus == .diverged)
    }
}

@Suite("Several reward models")
struct RewardModelTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test("scores are the weighted sum of the models' scores, each normalised by its own statistics")
    func sum() throws {
        var configuration = try workshop.configuration(.ppo)
        configuration.loop.maxSteps = 1
        configuration.data.keepsOrder = true
        configuration.reinforcement.savesRollouts = true
        configuration.reinforcement.normalizeReward = true
        let other = try workshop.rewardModel("other", seed: 8, statistics: (-1, 2))
        let first = try #require(configuration.reinforcement.rewardModel)
        let choices: [[WeightedModel]] = [
            [.init(path: first)], [.init(path: other)], [.init(path: first), .init(path: other, weight: 0.25)],
        ]
        var means: [Double: Double] = [:]
        let scores = try choices.enumerated().map { number, models in
            configuration.reinforcement.rewardModels = models
            configuration.loop.output = workshop.path("run-\(number)")
            let run = try workshop.train(configuration)
            for part in [1.0, 2] { means[part] = try run.metrics[0]["objective/scores/\(Int(part))"] }
            return try run.tensors("rollouts/step-1.safetensors")["scores"]?.doubles ?? []
        }
        for row in scores[0].indices {
            #expect(abs(scores[2][row] - scores[0][row] - 0.25 * scores[1][row]) < 1e-5)
        }
        #expect(abs((means[1] ?? .nan) - scores[0].reduce(0, +) / 8) < 1e-5)
        #expect(abs((means[2] ?? .nan) - scores[1].reduce(0, +) / 32) < 1e-5)
    }

    @Test("weights are read and written like those of data")
    func text() throws {
        let words = ["--model", "m", "--data", "d", "--output", "o", "--reward-model", "a", "--reward-model", "b@0.5"]
        guard case .run(let configuration) = try SettingReader(defaults: TrainConfiguration(stage: .ppo)).read(words)
        else {
            throw TrainingError("no run")
        }
        #expect(configuration.reinforcement.rewardModels == [.init(path: "a"), .init(path: "b", weight: 0.5)])
        #expect(configuration.reinforcement.rewardModels.map(\.settingText) == ["a", "b@0.5"])
        #expect(configuration.criticDirectory == "a")
    }
}
