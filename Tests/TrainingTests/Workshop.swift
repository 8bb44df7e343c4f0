import Configuration
import Foundation
import JSONText
import Models
import TestSupport
import Torch

@testable import Training

/// Small models, data and runs in a directory that vanishes with the test.
final class Workshop {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func path(_ name: String) -> String { directory.url.appending(path: name).path }

    // Models.

    static let endOfSequence = 2
    static let vocabularySize = 32

    private static let configuration: JSON = [
        "architectures": ["LlamaForCausalLM"], "vocab_size": .integer(vocabularySize), "hidden_size": 16,
        "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "eos_token_id": .integer(endOfSequence), "initializer_range": 0.3,
    ]

    /// The directory of a language model with random weights.
    func languageModel(_ name: String, seed: UInt64, _ changes: [String: JSON] = [:]) throws -> String {
        var members = Self.configuration.object ?? JSONObject()
        for (key, value) in changes { members[key] = value }
        let configuration = try ModelConfiguration(.object(members), path: "config.json")
        let url = try folder(name)
        try LanguageModel.fresh(configuration, seed: seed).save(to: url, dtype: .float32)
        return url.path
    }

    /// The directory of a reward model with random weights.
    func rewardModel(_ name: String, seed: UInt64, statistics: (mean: Double, deviation: Double)? = nil) throws
        -> String
    {
        let start = URL(filePath: try languageModel(name + "-start", seed: seed))
        let url = try folder(name)
        let model = try ScoreModel.load(start, .frozen(), freshHead: seed)
        try model.save(to: url, dtype: .float32, statistics: statistics)
        return url.path
    }

    private func folder(_ name: String) throws -> URL {
        let url = directory.url.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    // Data.

    /// Ids that look arbitrary, without the end of sequence.
    static func ids(_ count: Int, _ number: Int) -> [Int] {
        (0..<count).map { 3 + (number * 11 + $0 * (number + 5)) % 29 }
    }

    private func rows(_ name: String, _ count: Int, _ row: (Int) -> JSON) throws -> String {
        try directory.write(name + ".jsonl", (0..<count).map { row($0).serialized() + "\n" }.joined())
    }

    private func list(_ ids: [Int]) -> JSON { .array(ids.map(JSON.integer)) }

    /// Sequences of different lengths to learn from.
    func examples(_ count: Int, name: String = "examples") throws -> String {
        try rows(name, count) {
            ["input_ids": list(Self.ids(5 + $0 % 4, $0)), "prompt_length": .integer(1 + $0 % 3)]
        }
    }

    /// Pairs of responses of different lengths.
    func pairs(_ count: Int, name: String = "pairs") throws -> String {
        try rows(name, count) {
            [
                "prompt_ids": list(Self.ids(2 + $0 % 3, $0)), "chosen_ids": list(Self.ids(3 + $0 % 4, $0 + 40)),
                "rejected_ids": list(Self.ids(2 + $0 % 5, $0 + 80)),
            ]
        }
    }

    /// Pairs with margins, one of which is missing and one negative.
    func marginPairs(_ count: Int, name: String = "margins") throws -> String {
        try rows(name, count) {
            [
                "prompt_ids": list(Self.ids(2 + $0 % 3, $0)), "chosen_ids": list(Self.ids(3 + $0 % 4, $0 + 40)),
                "rejected_ids": list(Self.ids(2 + $0 % 5, $0 + 80)),
                "margin": $0 == 1 ? .null : .number(Double($0) / 2 - 1),
            ]
        }
    }

    /// Good and bad responses of different lengths.
    func labelled(_ count: Int, name: String = "labelled") throws -> String {
        try rows(name, count) {
            [
                "input_ids": list(Self.ids(6 + $0 % 4, $0)), "prompt_length": .integer(1 + $0 % 3),
                "label": .bool($0 % 3 != 1),
            ]
        }
    }

    /// Prompts of different lengths.
    func prompts(_ count: Int) throws -> String {
        try rows("prompts", count) { ["prompt_ids": list(Self.ids(2 + $0 % 3, $0))] }
    }

    // Runs.

    /// Settings of a short run on small models.
    ///
    /// AdamW's ε is large, so that a rounding error in a gradient near zero stays one in the weights.
    func configuration(_ stage: Configuration.Stage, output: String = "run") throws -> TrainConfiguration {
        var configuration = TrainConfiguration(stage: stage)
        configuration.compute.device = .cpu
        configuration.loop.output = path(output)
        configuration.loop.batchSize = 4
        configuration.optimizer.learningRate = 0.02
        configuration.optimizer.epsilon = 0.1
        configuration.model.model = try languageModel("policy", seed: 1)
        switch stage {
        case .sft: configuration.data.sources = [.init(path: try examples(12))]
        case .reward, .dpo: configuration.data.sources = [.init(path: try pairs(10))]
        case .kto:
            configuration.data.sources = [.init(path: try labelled(10))]
            configuration.model.referenceModel = try languageModel("reference", seed: 2)
        case .kd:
            configuration.data.sources = [.init(path: try examples(12))]
            configuration.distillation.teacherModel = try languageModel("teacher", seed: 6, ["hidden_size": 24])
        case .ppo, .rto: try reinforce(&configuration)
        }
        return configuration
    }

    private func reinforce(_ configuration: inout TrainConfiguration) throws {
        configuration.data.sources = [.init(path: try prompts(16))]
        configuration.model.referenceModel = try languageModel("reference", seed: 2)
        configuration.reinforcement.rewardModel = try rewardModel("reward", seed: 3, statistics: (0.1, 0.5))
        configuration.reinforcement.criticModel = try rewardModel("critic", seed: 4, statistics: (-0.2, 0.7))
        configuration.reinforcement.criticLearningRate = 0.02
        configuration.reinforcement.rolloutBatchSize = 8
        configuration.reinforcement.epochs = 2
        configuration.reinforcement.sampling.maxNewTokens = 6
        if configuration.stage == .rto { configuration.tokenReward.dpoModel = try languageModel("dpo", seed: 5) }
    }

    /// Trains to the end.
    func train(_ configuration: TrainConfiguration) throws -> TrainedRun {
        try Training.train(
            configuration,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
        return TrainedRun(url: URL(filePath: configuration.loop.output))
    }
}

extension ReinforcementSettings {
    /// Chooses an estimator, and leaves nothing of a critic where it has none.
    mutating func estimate(by estimator: AdvantageEstimator) {
        advantage = estimator
        guard !estimator.needsCritic else { return }
        criticModel = nil
        criticLearningRate = ReinforcementSettings().criticLearningRate
    }
}
