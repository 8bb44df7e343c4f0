import Configuration
import Foundation
import JSONText
import TestSupport
import Testing
import Torch

@testable import Training

/// Whole training runs of the reference implementations: losses, gradient norms and weights of every step.
@Suite("Recorded runs", .enabled(if: SharedFixtures.contains("fixtures/steps"), "\(SharedFixtures.reason)"))
struct RecordedStepsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private let base = SharedFixtures.url("models/stories260K").path

    private func steps(_ name: String) -> String { SharedFixtures.url("fixtures/steps/" + name).path }

    private func fixture(_ name: String) throws -> JSON {
        try JSON(parsing: [UInt8](Data(contentsOf: URL(filePath: steps(name + ".json")))))
    }

    private func configuration(_ stage: Configuration.Stage, microBatchTokens: Int) -> TrainConfiguration {
        var configuration = TrainConfiguration(stage: stage)
        configuration.model.model = base
        configuration.compute.device = .cpu
        configuration.data.keepsOrder = true
        configuration.optimizer.schedule = .constant
        configuration.optimizer.warmupRatio = 0
        configuration.loop.batchSize = 4
        configuration.loop.microBatchTokens = microBatchTokens
        configuration.loop.output = directory.url.appending(path: "run").path
        return configuration
    }

    private func train(_ configuration: TrainConfiguration) throws -> TrainedRun {
        try Training.train(
            configuration,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
        return TrainedRun(url: URL(filePath: configuration.loop.output))
    }

    private func agrees(_ found: Double?, _ expected: JSON?, absolute: Double = 0, relative: Double = 0) throws -> Bool
    {
        let expected = try #require(expected?.number)
        return abs((found ?? .nan) - expected) <= absolute + relative * abs(expected)
    }

    /// Sixteen entries of each final tensor, and how far it has moved.
    private func checkWeights(
        _ found: [String: Tensor],
        _ start: [String: Tensor],
        _ recorded: JSON?,
        _ measured: JSON?
    ) throws {
        let tolerance = max(2e-4, 5 * (measured?.number ?? 0))
        for (name, expected) in try #require(recorded?.object).members {
            let name = name == "value_head.weight" ? "score.weight" : name
            let tensor = try #require(found[name])
            let flat = tensor.reshaped([-1]).doubles
            let values = try #require(expected["values"]?.array).compactMap(\.number)
            for (index, value) in values.enumerated() {
                let place = (Double(index * (flat.count - 1)) / 15).rounded(.toNearestOrEven)
                #expect(abs(flat[Int(place)] - value) <= tolerance, "\(name)")
            }
            let old = try #require(start[name] ?? start["value_head.weight"]).to(.float64)
            let moved = (tensor.to(.float64) - old).squared().sum().scalar.squareRoot()
            #expect(try agrees(moved, expected["delta_l2"], absolute: 1e-6, relative: 1e-2), "\(name)")
        }
    }

    private func weights(_ path: String) throws -> [String: Tensor] {
        try TrainedRun(url: URL(filePath: path)).tensors("model.safetensors")
    }

    /// Compares a run of several steps with its fixture.
    private func check(_ configuration: TrainConfiguration, _ name: String) throws {
        let fixture = try fixture(name)
        let steps = try #require(fixture["float32"]?["steps"]?.array)
        var configuration = configuration
        configuration.loop.maxSteps = steps.count
        let run = try train(configuration)
        let metrics = try run.metrics
        #expect(metrics.count == steps.count)
        let measured = fixture["measured_float32_vs_float64"]
        let tolerance = max(2e-5, 5 * (measured?["max_abs_loss"]?.number ?? 0))
        for (found, expected) in zip(metrics, steps) {
            #expect(try agrees(found["loss"], expected["loss"], absolute: tolerance))
            #expect(try agrees(found["grad_norm"], expected["grad_norm"], relative: 1e-3))
            guard expected["rewards_chosen_mean"] != nil else { continue }
            #expect(try agrees(found["rewards/chosen"], expected["rewards_chosen_mean"], absolute: 1e-3))
            #expect(try agrees(found["rewards/margins"], expected["margin_mean"], absolute: 1e-3))
            // Single responses have no pairs to win.
            guard found["rewards/accuracies"] != nil else { continue }
            // Where policy and reference are equal the reference's wins are those of rounding errors.
            let margins = try #require(expected["margins"]?.array).compactMap(\.number)
            guard margins.allSatisfy({ $0 == 0 || abs($0) > 1e-6 }) else { continue }
            #expect(try agrees(found["rewards/accuracies"], expected["accuracy"], absolute: 1e-6))
        }
        try checkWeights(
            try run.tensors("model.safetensors"),
            try weights(configuration.model.model),
            fixture["float32"]?["final_weights"],
            measured?["max_abs_weight"]
        )
    }

    @Test("supervised", arguments: [1, 8192])
    func supervised(microBatchTokens: Int) throws {
        var configuration = configuration(.sft, microBatchTokens: microBatchTokens)
        configuration.data.sources = [.init(path: steps("cli/sft.jsonl"))]
        configuration.optimizer.learningRate = 1e-3
        try check(configuration, "sft")
    }

    @Test("reward model", arguments: [1, 8192])
    func reward(microBatchTokens: Int) throws {
        var configuration = configuration(.reward, microBatchTokens: microBatchTokens)
        configuration.model.model = steps("cli/reward_initial")
        configuration.data.sources = [.init(path: steps("cli/preferences.jsonl"))]
        configuration.optimizer.learningRate = 1e-3
        try check(configuration, "rm")
    }

    @Test("preferences", arguments: ["dpo", "cdpo", "ipo", "rdpo", "simpo", "tdpo1", "tdpo2"], [1, 8192])
    func preferences(name: String, microBatchTokens: Int) throws {
        let settings = try fixture(name)["hyperparameters"]
        var configuration = configuration(.dpo, microBatchTokens: microBatchTokens)
        configuration.data.sources = [.init(path: steps("cli/preferences.jsonl"))]
        configuration.optimizer.learningRate = 3e-4
        configuration.preference.loss = PreferenceObjective(rawValue: name) ?? .dpo
        configuration.preference.beta = try #require(settings?["beta"]?.number)
        configuration.preference.labelSmoothing = settings?["label_smoothing"]?.number ?? 0
        configuration.preference.lengthAlpha = settings?["alpha"]?.number ?? 0
        configuration.preference.tdpoAlpha = settings?["alpha"]?.number ?? 0
        configuration.preference.simpoGamma =
            configuration.preference.beta * (settings?["gamma_beta_ratio"]?.number ?? 0)
        try check(configuration, name)
    }

    @Test("single responses with labels", arguments: [1, 8192])
    func unpaired(microBatchTokens: Int) throws {
        let settings = try fixture("kto")["hyperparameters"]
        let labels = try #require(fixture("tokenized")["kto_rows"]?.array).map { $0["label"]?.integer == 1 }
        let pairs = try String(contentsOfFile: steps("cli/preferences.jsonl"), encoding: .utf8).split(separator: "\n")
        let rows = try zip(pairs, labels).map { line, label -> String in
            let pair = try JSON(parsing: Array(line.utf8))
            let prompt = try #require(pair["prompt_ids"]?.array)
            let response = try #require(pair[label ? "chosen_ids" : "rejected_ids"]?.array)
            let row: JSON = [
                "input_ids": .array(prompt + response), "prompt_length": .integer(prompt.count),
                "good": .integer(label ? 1 : 0),
            ]
            return row.serialized() + "\n"
        }
        var configuration = configuration(.kto, microBatchTokens: microBatchTokens)
        configuration.data.sources = [.init(path: try directory.write("kto.jsonl", rows.joined()))]
        configuration.data.labelKey = "good"
        configuration.optimizer.learningRate = 3e-4
        configuration.unpaired.beta = try #require(settings?["beta"]?.number)
        try check(configuration, "kto")
        let recorded = try #require(fixture("kto")["float32"]?["steps"]?.array)
        for (found, expected) in zip(try TrainedRun(url: URL(filePath: configuration.loop.output)).metrics, recorded) {
            #expect(try agrees(found["kl"], expected["KL"], absolute: 1e-3))
        }
    }

    @Test("reinforcement", arguments: ["ppo", "rto", "rto_actor_sft_noclip"], [1, 8192])
    func reinforcement(name: String, microBatchTokens: Int) throws {
        var configuration = configuration(name == "ppo" ? .ppo : .rto, microBatchTokens: microBatchTokens)
        configuration.optimizer.learningRate = 3e-4
        configuration.loop.saveEvery = 2
        configuration.reinforcement.criticLearningRate = 1e-3
        configuration.reinforcement.rewardModel = steps("rm_final")
        configuration.reinforcement.criticModel = steps("rm_final")
        configuration.reinforcement.rollouts = steps("cli/rollouts.safetensors")
        configuration.reinforcement.savesRollouts = true
        configuration.reinforcement.rolloutBatchSize = 8
        if name != "ppo" {
            configuration.tokenReward.dpoModel = steps("dpo_final")
            configuration.reinforcement.normalizeReward = true
        }
        if name == "rto_actor_sft_noclip" {
            configuration.model.model = steps("sft_final")
            configuration.model.referenceModel = base
            configuration.tokenReward.scale = 0.1
            configuration.tokenReward.clip = 0
            configuration.reinforcement.klCoefficient = 0.05
        }
        try checkReinforcement(configuration, try fixture(name))
    }

    private func checkReinforcement(_ configuration: TrainConfiguration, _ fixture: JSON) throws {
        let recorded = try #require(fixture["float32"])
        let run = try train(configuration)
        let metrics = try run.metrics
        for (index, step) in metrics.enumerated() {
            #expect(try agrees(step["grad_norm"], recorded["grad_norms"]?["actor"]?[index], relative: 1e-3))
            #expect(try agrees(step["critic_grad_norm"], recorded["grad_norms"]?["critic"]?[index], relative: 1e-3))
            let parts = try #require(recorded["train_micro_steps"]?.array)[2 * index..<2 * index + 2]
            for (name, key) in [("policy/loss", "policy_loss"), ("value/loss", "critic_loss")] {
                let mean = parts.compactMap { $0[key]?.number }.reduce(0, +) / 2
                #expect(try agrees(step[name], .number(mean), absolute: 5e-5, relative: 1e-4), "\(name)")
            }
        }
        try checkRollout(try run.tensors("rollouts/step-1.safetensors"), try #require(recorded["micro"]?.array))
        let measured = fixture["measured_float32_vs_float64"]
        try checkWeights(
            try run.tensors("model.safetensors"),
            try weights(configuration.model.model),
            recorded["actor_final"],
            measured?["actor_max_abs_weight"]
        )
        try checkWeights(
            try run.tensors("checkpoint-2/critic/model.safetensors"),
            try weights(steps("rm_final")),
            recorded["critic_final"],
            measured?["critic_max_abs_weight"]
        )
    }

    /// The padded columns of the fixture, without their masked slots, against the recorded rollout.
    private func checkRollout(_ columns: [String: Tensor], _ parts: [JSON]) throws {
        let names = [
            "log_probabilities": "action_log_probs", "reference_log_probabilities": "ref_log_probs", "kl": "kl",
            "token_rewards": "dpo_rewards", "values": "values", "advantages": "advantages", "returns": "returns",
            "rewards": "shaped_reward",
        ]
        for (name, key) in names {
            let expected = parts.flatMap { part -> [Double] in
                let rows = part[key]?.array ?? []
                return zip(rows, part["action_mask"]?.array ?? []).flatMap { row, mask in
                    zip(row.array ?? [], mask.array ?? []).compactMap { value, isActive in
                        isActive.number == 1 || isActive.bool == true ? value.number : nil
                    }
                }
            }
            // Plain PPO has no token rewards.
            if expected.isEmpty && name == "token_rewards" { continue }
            let found = try #require(columns[name]).doubles
            #expect(found.count == expected.count, "\(name)")
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 5e-5 + 1e-5 * abs($1) }, "\(name)")
        }
        let scores = parts.flatMap { $0["rm_score"]?.array ?? [] }.compactMap(\.number)
        #expect(zip(try #require(columns["scores"]).doubles, scores).allSatisfy { abs($0 - $1) <= 5e-5 })
        #expect(scores.count == columns["scores"]?.count)
    }
}
