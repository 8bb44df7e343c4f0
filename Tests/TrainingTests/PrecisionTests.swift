import Configuration
import Foundation
import Testing
import Torch

@testable import Training

@Suite("Precision")
struct PrecisionTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func train(_ configuration: TrainConfiguration, _ change: (inout TrainConfiguration) -> Void) throws
        -> TrainedRun
    {
        var configuration = configuration
        configuration.loop.output += "-changed"
        change(&configuration)
        return try workshop.train(configuration)
    }

    /// The band: losses of eight steps within 3 % of float32's, gradient norms within 10 %.
    @Test("bfloat16 follows float32", arguments: [Configuration.Stage.sft, .reward, .dpo])
    func bfloat16(stage: Configuration.Stage) throws {
        var configuration = try workshop.configuration(stage)
        configuration.loop.epochs = 4
        configuration.loop.maxSteps = 8
        let wide = try workshop.train(configuration)
        let narrow = try train(configuration) { $0.compute.precision = .bfloat16 }
        for (found, expected) in zip(try narrow.metrics, try wide.metrics) {
            let (loss, norm) = (try #require(expected["loss"]), try #require(expected["grad_norm"]))
            #expect(abs((found["loss"] ?? .nan) - loss) <= 0.03 * loss)
            #expect(abs((found["grad_norm"] ?? .nan) - norm) <= 0.1 * norm)
        }
        let files = try narrow.tensors("model.safetensors")
        #expect(files.values.allSatisfy { $0.dtype == .bfloat16 })
        #expect(try largestDifference(narrow, wide) < 0.05)
    }

    @Test("reinforcement works in bfloat16 and its sampler agrees with its scorer")
    func bfloat16Reinforcement() throws {
        var configuration = try workshop.configuration(.rto)
        configuration.compute.precision = .bfloat16
        let metrics = try workshop.train(configuration).metrics
        #expect(metrics.count == 8)
        #expect(metrics.allSatisfy { ($0["rollout/logprob_difference"] ?? 1) < 0.05 })
    }

    @Test(
        "gradient checkpointing gives the same weights",
        arguments: [Configuration.Stage.sft, .reward, .dpo, .kto, .kd, .ppo]
    )
    func checkpointing(stage: Configuration.Stage) throws {
        let configuration = try workshop.configuration(stage)
        let plain = try workshop.train(configuration)
        let saving = try train(configuration) { $0.compute.gradientCheckpointing = true }
        #expect(try largestDifference(plain, saving) < 1e-6)
    }
}
