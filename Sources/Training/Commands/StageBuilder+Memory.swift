import Configuration
import Foundation
import Models
import Torch

extension StageBuilder {
    /// The stage, and the memory that it will take at its peak, which is said on standard error.
    ///
    /// Only for the CPU: another device has memory of its own.
    /// - Throws: what `build()` throws, and `TrainingError` where the machine has too little memory, before models are loaded
    ///   where they alone are too large.
    func buildWithinMemory() throws -> (stage: any Stage, prediction: MemoryPrediction?) {
        guard device == .cpu else { return (try build(), nil) }
        try checkModels(available: MachineMemory.availableBytes)
        let stage = try build()
        let policy = try ModelConfiguration(directory: URL(filePath: configuration.model.model))
        let prediction = MemoryPrediction(configuration, stage, policy: policy)
        let available = MachineMemory.availableBytes
        try prediction.check(available: available)
        if let available {
            let whole = MemoryPrediction.text(available + prediction.loaded)
            note("predicted peak memory \(MemoryPrediction.text(prediction.peak)) of \(whole)")
        }
        return (stage, prediction)
    }

    /// Refuses models whose weights, gradients and moments do not fit.
    private func checkModels(available: Int?) throws {
        guard let available else { return }
        let frozen = MemoryPrediction.frozenBytes(frozenDirectories, configuration.compute.precision.dtype)
        let trained = MemoryPrediction.trainedBytes(trainedDirectories)
        guard frozen + trained > available else { return }
        throw TrainingError(
            "the models alone need \(MemoryPrediction.text(frozen + trained)) of memory, of which "
                + "\(MemoryPrediction.text(available)) are to be had; use a smaller model or --precision bfloat16",
            .usage
        )
    }

    private var trainedDirectories: [String] {
        [configuration.model.model] + (configuration.stage.isReinforcement ? [configuration.criticDirectory] : [])
    }

    private var frozenDirectories: [String] {
        switch configuration.stage {
        case .sft, .reward: []
        case .kto: [configuration.model.referenceDirectory]
        case .kd: [configuration.distillation.teacherModel]
        case .dpo: configuration.preference.loss.isReferenceFree ? [] : [configuration.model.referenceDirectory]
        case .ppo, .rto:
            [configuration.model.referenceDirectory]
                + [configuration.reinforcement.rewardModel, configuration.tokenReward.dpoModel].compactMap { $0 }
        }
    }
}

extension MemoryPrediction {
    /// Bytes of models that are only evaluated, in the type they are held in.
    fileprivate static func frozenBytes(_ directories: [String], _ precision: DType) -> Int {
        parameterCount(directories) * precision.byteSize
    }

    /// Bytes of models that are trained: weights, gradients and two moments of each, in float32.
    fileprivate static func trainedBytes(_ directories: [String]) -> Int {
        4 * parameterCount(directories) * DType.float32.byteSize
    }

    /// Directories that cannot be read count nothing: loading them says what is wrong.
    private static func parameterCount(_ directories: [String]) -> Int {
        directories.compactMap { try? ModelConfiguration(directory: URL(filePath: $0)) }
            .map { DecoderCost($0).parameterCount }.reduce(0, +)
    }
}
