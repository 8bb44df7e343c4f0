import Configuration
import Foundation
import JSONText
import Testing

@testable import Training

@Suite("What a run writes on its way")
struct MetricsTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    static let everyStep: Set = [
        "step", "epoch", "loss", "learning_rate", "grad_norm", "num_tokens", "tokens_per_second", "step_seconds",
        "peak_memory_bytes",
    ]
    static let pairs: Set = [
        "rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected",
    ]
    static let reinforcement: Set = [
        "objective/scores", "objective/kl", "objective/entropy", "objective/rlhf_reward", "policy/loss",
        "policy/approxkl", "policy/clipfrac", "policy/ratio", "value/loss", "value/clipfrac",
        "value/explained_variance", "critic_grad_norm", "critic_learning_rate", "response_length/mean",
        "response_length/min", "response_length/max", "response_length/truncated", "rollout/logprob_difference",
        "timing/rollout", "timing/score", "timing/train",
    ]
    static let tokenRewards: Set = [
        "rto/token_reward_mean", "rto/token_reward_std", "rto/token_reward_min", "rto/token_reward_max",
        "rto/clip_fraction", "rto/dense_share",
    ]

    private func names(_ stage: Configuration.Stage) -> Set<String> {
        switch stage {
        case .sft: Self.everyStep
        case .reward: Self.everyStep.union(["accuracy", "margin", "mean_reward"])
        case .dpo: Self.everyStep.union(Self.pairs)
        case .kto: Self.everyStep.union(["rewards/chosen", "rewards/rejected", "rewards/margins", "kl"])
        case .kd: Self.everyStep.union(["completion_loss", "teacher_kl"])
        case .ppo: Self.everyStep.union(Self.reinforcement)
        case .rto: Self.everyStep.union(Self.reinforcement).union(Self.tokenRewards)
        }
    }

    @Test("every step has the numbers of the interface", arguments: Configuration.Stage.allCases)
    func interface(stage: Configuration.Stage) throws {
        var configuration = try workshop.configuration(stage)
        configuration.loop.logEvery = 3
        let metrics = try workshop.train(configuration).metrics
        #expect(metrics.map { $0["step"] } == (1...metrics.count).map(Double.init))
        for step in metrics { #expect(names(stage).subtracting(step.keys).isEmpty) }
        #expect(metrics.last?["epoch"] == 1)
    }

    @Test("the numbers of a rollout fit together")
    func reinforcement() throws {
        for step in try workshop.train(try workshop.configuration(.rto)).metrics {
            #expect((step["rollout/logprob_difference"] ?? 1) < 1e-4)
            #expect((step["response_length/max"] ?? 0) <= 6 && (step["response_length/min"] ?? 0) >= 1)
            #expect((0...1).contains(step["rto/dense_share"] ?? -1))
            #expect((step["rto/token_reward_max"] ?? 1) < 0.0501 && (step["rto/token_reward_min"] ?? -1) > -0.0501)
            #expect((step["objective/entropy"] ?? -1) > 0)
        }
        let first = try #require(try TrainedRun(url: URL(filePath: workshop.path("run"))).metrics.first)
        #expect(abs((first["policy/ratio"] ?? 0) - 1) < 1e-4 && first["policy/clipfrac"] == 0)
    }

    @Test("samples show prompts, completions and what they were worth")
    func samples() throws {
        let run = try workshop.train(try workshop.configuration(.rto))
        let folder = run.url.appending(path: "samples").path
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["step-1.jsonl", "step-5.jsonl"]
        )
        let samples = try run.lines("samples/step-1.jsonl")
        #expect(samples.count == 8)
        for sample in samples {
            #expect(sample["prompt_ids"]?.array?.isEmpty == false && sample["completion_ids"]?.array?.isEmpty == false)
            #expect(sample["score"]?.number != nil && sample["reward"]?.number != nil)
        }
        let mean = samples.compactMap { $0["score"]?.number }.reduce(0, +) / 8
        #expect(abs(mean - (try run.metrics[0]["objective/scores"] ?? .nan)) < 1e-5)
    }

    @Test("a finished run is a model directory with its recipe; the newest checkpoints are kept")
    func directory() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.loop.epochs = 2
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 2
        let run = try workshop.train(configuration)
        #expect(
            try run.fileNames == [
                "checkpoint-5", "checkpoint-6", "config.json", "metrics.jsonl", "model.safetensors", "recipe.yaml",
            ]
        )
        var again = try Recipe.configuration(readingFrom: run.url.appending(path: "recipe.yaml").path)
        again.loop.output = configuration.loop.output
        #expect(again == configuration)
    }

    @Test("a run whose loss or weights are no numbers any more ends with status 75")
    func divergence() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.optimizer.schedule = .constant
        configuration.optimizer.warmupRatio = 0
        configuration.optimizer.learningRate = 1e39
        configuration.optimizer.epsilon = 1e-8
        configuration.loop.saveEvery = 1
        configuration.loop.maxSteps = 1
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.exitStatus == .diverged)
        let names = try TrainedRun(url: URL(filePath: workshop.path("run"))).fileNames
        #expect(names == ["metrics.jsonl", "recipe.yaml", "tokens"])
        configuration.optimizer.learningRate = 1e10
        configuration.loop.maxSteps = 12
        configuration.loop.epochs = 12
        configuration.loop.output += "-later"
        let later = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(later?.exitStatus == .diverged)
    }

    @Test("absurd counts are steps that are never reached and no trap")
    func hugeCounts() throws {
        var configuration = try workshop.configuration(.ppo)
        configuration.loop.epochs = .max
        configuration.reinforcement.epochs = .max
        configuration.loop.maxSteps = 1
        configuration.optimizer.warmupRatio = 1
        #expect(try workshop.train(configuration).metrics.count == 1)
        #expect(boundedProduct(.max, 3) == 1 << 53 && boundedProduct(6, 7) == 42)
    }
}
