import Configuration
import Foundation
import JSONText
import Models
import Testing
import Torch

@testable import Training

/// Memory that a run takes, against what was predicted of it and from step to step.
@Suite("Memory", .serialized)
struct MemoryTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// 204 steps, or a thousand where `RTO_LONG_TESTS` is set.
    ///
    /// Each in a process of its own: the numbers are of a process, and other tests take and free memory at the same time.
    @Test("no stage leaves tensors or memory behind, step after step", arguments: Configuration.Stage.allCases)
    func growth(stage: Configuration.Stage) async {
        switch stage {
        case .sft: await #expect(processExitsWith: .success) { try checkGrowth(of: .sft) }
        case .reward: await #expect(processExitsWith: .success) { try checkGrowth(of: .reward) }
        case .dpo: await #expect(processExitsWith: .success) { try checkGrowth(of: .dpo) }
        case .kto: await #expect(processExitsWith: .success) { try checkGrowth(of: .kto) }
        case .kd: await #expect(processExitsWith: .success) { try checkGrowth(of: .kd) }
        case .ppo: await #expect(processExitsWith: .success) { try checkGrowth(of: .ppo) }
        case .rto: await #expect(processExitsWith: .success) { try checkGrowth(of: .rto) }
        }
    }

    @Test("a micro-batch is as large as the budget, its largest row or a whole batch")
    func largest() {
        func largest(_ sizes: [Int], budget: Int) -> (Int, Bool) {
            let found = LargestMicroBatch(rowSizes: sizes, batchSize: 2, tokenBudget: budget)
            return (found.tokens, found.isWholeStep)
        }
        #expect(largest([5, 9, 7], budget: 12) == (12, false))
        #expect(largest([5, 90, 7], budget: 12) == (90, false))
        #expect(largest([5, 9, 7], budget: 2048) == (16, true))
    }

    private func shape() throws -> ModelConfiguration {
        let json: JSON = [
            "architectures": ["LlamaForCausalLM"], "vocab_size": 100, "hidden_size": 8, "intermediate_size": 20,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": true,
        ]
        return try ModelConfiguration(json, path: "config.json")
    }

    @Test("parameters and activations are counted as they are laid out")
    func counts() throws {
        let shape = try shape()
        let model = try LanguageModel.fresh(shape, seed: 1)
        #expect(DecoderCost(shape).parameterCount == model.parameters.tensors.map(\.count).reduce(0, +))
        // 2 · 8 hidden, 2 · 8 queries, 2 · 4 keys, 2 · 20 inner.
        #expect(MemoryPrediction.layerBytes(shape, .float32) == 4 * (16 + 16 + 8 + 40))
        let plain = MemoryPrediction.Training(configuration: shape, precision: .float32, checkpointsGradients: false)
        var saving = plain
        saving.checkpointsGradients = true
        let tokens = 1000
        let (most, least) = (
            MemoryPrediction.activationBytes(plain, tokens: tokens),
            MemoryPrediction.activationBytes(saving, tokens: tokens)
        )
        #expect(least < most)
    }

    @Test("the head's logits and gradients, and distributions that are compared")
    func head() throws {
        let plain = MemoryPrediction.Training(
            configuration: try shape(),
            precision: .float32,
            checkpointsGradients: false
        )
        // Few tokens are one chunk: 50 rows of 100 logits, and the head's gradient, 100 · 8.
        #expect(MemoryPrediction.headBytes(plain, tokens: 50, models: 1) == 4 * (50 * 100 + 800))
        #expect(MemoryPrediction.headBytes(plain, tokens: 50, models: 0) == 0)
        // Of two models four matrices of 50 · 100, and a byte for each element: more than two and the gradient.
        #expect(MemoryPrediction.headBytes(plain, tokens: 50, models: 2) == 4 * 4 * 5_000 + 5_000)
        var half = plain
        half.precision = .bfloat16
        #expect(MemoryPrediction.headBytes(half, tokens: 50, models: 1) == 2 * 50 * 100 + (4 + 2 + 2) * 800)
        half.adapter = AdapterSettings(rank: 1, alpha: 1)
        #expect(MemoryPrediction.headBytes(half, tokens: 50, models: 1) == 2 * 50 * 100)
        // Of many tokens a chunk of 41,943 rows, and as many more as 64 MiB keep.
        #expect(MemoryPrediction.headBytes(plain, tokens: 1_000_000, models: 1) == 400 * 41_943 + (64 << 20) + 3_200)
    }

    @Test("the worst moment: sampling, the backward pass of one micro-batch, or of one among several")
    func peak() {
        func peak(sampling: Int, whole: Bool) -> Int {
            MemoryPrediction(
                loaded: 100,
                gradients: 30,
                activations: 50,
                head: 7,
                sampling: sampling,
                hasOneMicroBatch: whole
            ).peak
        }
        #expect(peak(sampling: 500, whole: true) == 600 && peak(sampling: 500, whole: false) == 600)
        #expect(peak(sampling: 0, whole: false) == 100 + 30 + 50 + 7)
        // With one micro-batch gradients come while activations go.
        #expect(peak(sampling: 0, whole: true) == 100 + 50 + 7)
    }

    @Test("a run that cannot fit is refused with what helps, one that may fit is not")
    func refusal() throws {
        let prediction = MemoryPrediction(
            loaded: 200_000_000,
            gradients: 1_000_000_000,
            activations: 4_000_000_000,
            head: 0,
            sampling: 0,
            hasOneMicroBatch: false
        )
        #expect(prediction.peak == 5_200_000_000)
        try prediction.check(available: 3_100_000_000)
        try prediction.check(available: nil)
        let error = try #require(throws: TrainingError.self) { try prediction.check(available: 2_900_000_000) }
        #expect(error.exitStatus == .usage)
        #expect(error.description.contains("5.2 GB") && error.description.contains("--micro-batch-tokens"))
    }
}

/// Ends the process with a failure where a stage holds more tensors, or much more memory, after its last step than after its 24th.
private func checkGrowth(of stage: Configuration.Stage) throws {
    try LibTorch.open()
    // Whole rollouts, so that each look finds the same work done.
    let (first, last) = (24, ProcessInfo.processInfo.environment["RTO_LONG_TESTS"] == nil ? 204 : 1004)
    let workshop = try Workshop()
    var configuration = try workshop.configuration(stage)
    configuration.loop.epochs = last
    let run = try RunDirectory(
        new: workshop.path("run"),
        recipe: Recipe(configuration: configuration, commandLine: [], versions: [])
    )
    let trained = try StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu).build()
    func look(after steps: Range<Int>) throws -> (tensors: Int, bytes: Int) {
        for step in steps { _ = try trained.step(step) }
        return (Memory.liveTensors, Memory.residentBytes)
    }
    let (early, late) = (try look(after: 0..<first), try look(after: first..<last))
    guard early.tensors == late.tensors else {
        fatalError("\(stage): \(late.tensors - early.tensors) tensors were left behind")
    }
    // Alone, a process grows by less than half a mebibyte in a thousand steps.
    guard late.bytes - early.bytes < 4 << 20 else {
        fatalError("\(stage): \(late.bytes - early.bytes) bytes were left behind in \(last - first) steps")
    }
}
