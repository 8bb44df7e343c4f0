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

    /// Sixty steps, or a thousand where `RTO_LONG_TESTS` is set.
    @Test("no stage leaves tensors or memory behind, step after step", arguments: Configuration.Stage.allCases)
    func growth(stage: Configuration.Stage) throws {
        let steps = ProcessInfo.processInfo.environment["RTO_LONG_TESTS"] == nil ? 60 : 1000
        var configuration = try workshop.configuration(stage)
        configuration.loop.epochs = steps
        configuration.loop.maxSteps = steps
        // Whole rollouts, so that each look finds the same work done.
        let warmUp = steps / 3 / 4 * 4
        let run = try RunDirectory(
            new: configuration.loop.output,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
        let stage = try StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: .cpu).build()
        for step in 0..<warmUp { _ = try stage.step(step) }
        // Other tests hold tensors of their own at the same time, which come and go; growth stays.
        let resident = Memory.residentBytes
        for step in warmUp..<steps / 4 * 4 { _ = try stage.step(step) }
        #expect(Memory.residentBytes - resident < 48 << 20)
    }

    @Test("a micro-batch is as large as the budget, its largest row or a whole batch")
    func largest() {
        #expect(largestMicroBatch(rowSizes: [5, 9, 7], batchSize: 2, tokenBudget: 12) == 12)
        #expect(largestMicroBatch(rowSizes: [5, 90, 7], batchSize: 2, tokenBudget: 12) == 90)
        #expect(largestMicroBatch(rowSizes: [5, 9, 7], batchSize: 2, tokenBudget: 2048) == 16)
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
        // 6 · 8 hidden, 2 · 8 queries, 2 · 4 keys, 4 · 20 inner.
        #expect(MemoryPrediction.layerBytes(shape, .float32) == 4 * (48 + 16 + 8 + 80))
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

    @Test("a run that cannot fit is refused with what helps, one that may fit is not")
    func refusal() throws {
        let prediction = MemoryPrediction(
            loaded: 200_000_000,
            gradients: 1_000_000_000,
            activations: 4_000_000_000,
            logits: 0,
            cache: 0
        )
        #expect(prediction.peak == 5_200_000_000)
        try prediction.check(available: 3_100_000_000)
        try prediction.check(available: nil)
        let error = try #require(throws: TrainingError.self) { try prediction.check(available: 2_900_000_000) }
        #expect(error.exitStatus == .usage)
        #expect(error.description.contains("5.2 GB") && error.description.contains("--micro-batch-tokens"))
    }
}
