import Configuration
import Foundation
import JSONText
import Models
import TestSupport
import Testing
import Torch

@testable import Training

@Suite("Runs that train adapters")
struct AdapterRunTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// A short run that trains adapters.
    private func configuration(
        _ stage: Configuration.Stage,
        output: String = "run",
        dropout: Double = 0
    ) throws -> TrainConfiguration {
        var configuration = try workshop.configuration(stage, output: output)
        configuration.lora.rank = 3
        configuration.lora.dropout = dropout
        configuration.loop.maxSteps = stage.isReinforcement ? 5 : 3
        configuration.loop.epochs = 3
        return configuration
    }

    @Test("killed and resumed, a run gives the same adapter bit for bit", arguments: Configuration.Stage.allCases)
    func resuming(stage: Configuration.Stage) throws {
        var configuration = try configuration(stage, dropout: 0.2)
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        configuration.compute.gradientCheckpointing = true
        configuration.lora.isRankStabilized = true
        configuration.lora.targets = ["q_proj", "down_proj"]
        if stage.isReinforcement {
            configuration.reinforcement.klTarget = 0.5
            configuration.reinforcement.klHorizon = 50
            configuration.reinforcement.emaDecay = 0.9
            configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(9))]
        }
        if stage == .reward { configuration.data.evaluation = [try workshop.pairs(6, name: "held-out")] }
        let whole = try workshop.train(configuration)
        #expect(try whole.fileNames.contains("config.json") == (stage == .reward))
        #expect(try whole.fileNames.contains("adapter_config.json") && !whole.fileNames.contains("model.safetensors"))
        for step in [0, 2] {
            let killed = try whole.killed(after: step, as: "killed-\(step)")
            #expect(try !RunDirectory(existing: killed.path).isFinished)
            try resume(run: killed.path)
            #expect(try killed.modelBytes == whole.modelBytes, "killed after step \(step)")
            #expect(try killed.repeatableMetrics == whole.repeatableMetrics, "killed after step \(step)")
            #expect(try killed.fileNames == whole.fileNames)
        }
        #expect(try RunDirectory(existing: whole.path).isFinished)
        try resume(run: whole.path)
    }

    @Test("micro-batches change memory and time and nothing else", arguments: Configuration.Stage.allCases)
    func microBatches(stage: Configuration.Stage) throws {
        let runs = try [1, 8192].map { budget in
            var configuration = try configuration(stage, output: "run-\(budget)")
            configuration.loop.microBatchTokens = budget
            return try workshop.train(configuration)
        }
        #expect(try largestDifference(runs[0], runs[1], "adapter_model.safetensors") < 1e-5)
        let start = try LanguageModel.load(URL(filePath: workshop.path("policy")), .frozen())
        guard stage != .reward else { return }
        let trained = try LanguageModel.load(runs[0].url, .frozen())
        let batch = TokenBatch([Workshop.ids(6, 1)])
        let change = withoutGradients { trained.logits(batch) - start.logits(batch) }
        #expect(change.magnitude().max().scalar > 1e-3)
    }

    @Test("kill a reward run between its two configurations, and it is not finished")
    func halfWritten() throws {
        let whole = try workshop.train(try configuration(.reward))
        try FileManager.default.removeItem(at: whole.url.appending(path: "adapter_config.json"))
        #expect(try !RunDirectory(existing: whole.path).isFinished)
    }

    @Test("an adapter goes on being trained, and the reference is the adapter as it started")
    func continuing() throws {
        let first = try workshop.train(try configuration(.sft, output: "first"))
        var configuration = try configuration(.dpo, output: "second")
        configuration.model.model = first.path
        #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(!FileManager.default.fileExists(atPath: configuration.loop.output))
        configuration.lora = LoRASettings()
        let second = try workshop.train(configuration)
        let loss = try #require(second.metrics.first?["loss"])
        #expect(abs(loss - log(2)) < 1e-6)
        let (before, after) = (try first.tensors(Self.file), try second.tensors(Self.file))
        #expect(before.keys == after.keys)
        #expect(try largestDifference(first, second, Self.file) > 0)
    }

    private static let file = "adapter_model.safetensors"

    @Test("policy, reference, DPO model, reward model and critic may all be adapters")
    func everyRole() throws {
        let dpo = try workshop.train(try configuration(.dpo, output: "dpo"))
        var reward = try configuration(.reward, output: "judge")
        reward.data.evaluation = [try workshop.pairs(6, name: "held-out")]
        let judge = try workshop.train(reward)
        var configuration = try configuration(.rto)
        configuration.model.referenceModel = nil
        configuration.tokenReward.dpoModel = dpo.path
        configuration.reinforcement.rewardModel = judge.path
        configuration.reinforcement.criticModel = nil
        configuration.reinforcement.normalizeReward = true
        let metrics = try workshop.train(configuration).metrics
        // At first the policy is the reference.
        #expect(abs(try #require(metrics[0]["objective/kl"])) < 1e-5)
        #expect(try #require(metrics[0]["rto/token_reward_std"]) > 0)
        #expect(try #require(metrics[0]["rollout/logprob_difference"]) < 1e-5)
    }

    @Test("a layer that is none is refused before anything is made")
    func unknownTarget() throws {
        var configuration = try configuration(.sft)
        configuration.lora.targets = ["query"]
        let error = #expect(throws: TrainingError.self) { try workshop.train(configuration) }
        #expect(error?.exitStatus == .usage && error?.description.contains("--lora-targets query") == true)
        #expect(!FileManager.default.fileExists(atPath: configuration.loop.output))
    }

    @Test("adapters take the memory of their base once, and little more")
    func memory() throws {
        let shape = try ModelConfiguration(directory: URL(filePath: workshop.languageModel("policy", seed: 1)))
        let adapter = AdapterSettings(rank: 3, alpha: 1)
        let model = try LanguageModel.load(
            URL(filePath: workshop.path("policy")),
            .trainable(),
            adapter: AdapterStart(adapter)
        )
        #expect(adapter.parameterCount(shape) == model.parameters.tensors.map(\.count).reduce(0, +))
        var training = MemoryPrediction.Training(
            configuration: shape,
            precision: .bfloat16,
            checkpointsGradients: false
        )
        let whole = MemoryPrediction.activationBytes(training, tokens: 1)
        let head = MemoryPrediction.headBytes(training, tokens: 1, models: 1)
        training.adapter = adapter
        // Seven layers of rank 3 in two bytes; no gradient of the head, which is summed in float32, and no second copies.
        let factors = shape.layerCount * 7 * 3 * 2
        #expect(MemoryPrediction.activationBytes(training, tokens: 1) == whole + factors)
        let gradient = shape.vocabularySize * shape.hiddenSize * (4 + 2 + 2)
        #expect(MemoryPrediction.headBytes(training, tokens: 1, models: 1) == head - gradient)
        // Before models are loaded: the base once for policy and reference, and an adapter with gradients and moments.
        let configuration = try configuration(.dpo)
        let run = try RunDirectory(
            new: configuration.loop.output,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
        let builder = StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu)
        let weights = DecoderCost(shape).parameterCount
        #expect(builder.modelBytes == 4 * weights + 4 * 4 * adapter.parameterCount(shape))
    }
}

@Suite("Merging adapters")
struct MergeTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func merging(_ model: String) -> MergeConfiguration {
        var configuration = MergeConfiguration()
        configuration.model = model
        configuration.output = workshop.path("merged")
        configuration.compute.device = .cpu
        return configuration
    }

    private func adapter(_ stage: Configuration.Stage) throws -> TrainedRun {
        var configuration = try workshop.configuration(stage)
        configuration.lora.rank = 2
        configuration.optimizer.learningRate = 0.2
        return try workshop.train(configuration)
    }

    @Test("a merged language model says what base and adapter say, and so do both commands")
    func languageModel() throws {
        let run = try adapter(.sft)
        try merge(merging(run.path))
        let url = URL(filePath: workshop.path("merged"))
        #expect(try Set(TrainedRun(url: url).fileNames) == ["config.json", "model.safetensors"])
        let batch = TokenBatch([Workshop.ids(8, 1)])
        let (merged, model) = (try LanguageModel.load(url, .frozen()), try LanguageModel.load(run.url, .frozen()))
        let difference = withoutGradients { (merged.logits(batch) - model.logits(batch)).magnitude().max().scalar }
        #expect(difference < 1e-4)
        let texts = try [run.path, url.path].map { directory in
            var configuration = GenerateConfiguration()
            configuration.model.model = directory
            configuration.compute.device = .cpu
            configuration.data.sources = [.init(path: try workshop.prompts(4))]
            configuration.isGreedy = true
            configuration.sampling.maxNewTokens = 6
            configuration.output = directory + "-completions.jsonl"
            try generate(configuration)
            return try String(contentsOfFile: directory + "-completions.jsonl", encoding: .utf8)
        }
        #expect(texts[0] == texts[1] && !texts[0].isEmpty)
    }

    @Test("a merged reward model scores alike")
    func rewardModel() throws {
        let run = try adapter(.reward)
        try merge(merging(run.path))
        let rows = ResponseBatch([.init(prompt: [4], response: Workshop.ids(7, 2))])
        let models = try [run.path, workshop.path("merged")].map { try ScoreModel.load(URL(filePath: $0), .frozen()) }
        let scores = withoutGradients { models.map { $0.rewards(rows).scalar } }
        #expect(abs(scores[0] - scores[1]) < 1e-5 && scores[0] != 0)
    }

    @Test("the base may be named, and the weights rounded")
    func baseAndPrecision() throws {
        let run = try adapter(.sft)
        let text = try String(contentsOf: run.url.appending(path: "adapter_config.json"), encoding: .utf8)
        try text.replacing(workshop.path("policy"), with: "/absent")
            .write(to: run.url.appending(path: "adapter_config.json"), atomically: true, encoding: .utf8)
        #expect(throws: ModelError.self) { try merge(merging(run.path)) }
        #expect(!FileManager.default.fileExists(atPath: workshop.path("merged")))
        var configuration = merging(run.path)
        configuration.base = workshop.path("policy")
        configuration.compute.precision = .bfloat16
        try merge(configuration)
        let stored = try TrainedRun(url: URL(filePath: configuration.output)).tensors("model.safetensors")
        #expect(stored.values.allSatisfy { $0.dtype == .bfloat16 })
    }

    @Test("a whole model and a directory in use are refused")
    func refusals() throws {
        let policy = try workshop.languageModel("policy", seed: 1)
        #expect(throws: TrainingError.self) { try merge(merging(policy)) }
        let run = try adapter(.sft)
        var configuration = merging(run.path)
        configuration.output = policy
        #expect(throws: TrainingError.self) { try merge(configuration) }
    }
}
