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
        // What an earlier run of this process has left is no part of this one, nor is what loading takes in passing.
        Memory.returnSpare()
        try checkModels(available: MachineMemory.availableBytes)
        let stage = try build()
        Memory.returnSpare()
        let policy = try ModelConfiguration(directory: URL(filePath: configuration.model.model))
        let prediction = MemoryPrediction(
            configuration,
            stage,
            policy: policy,
            adapter: trainedAdapter(configuration.model.model)
        )
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
        guard let available, modelBytes > available else { return }
        throw TrainingError(
            "the models alone need \(MemoryPrediction.text(modelBytes)) of memory, of which "
                + "\(MemoryPrediction.text(available)) are to be had; use a smaller model or --precision bfloat16",
            .usage
        )
    }

    /// Bytes of all models: weights, and gradients, moments and averages of what is trained of them.
    var modelBytes: Int {
        let adapted = trainedDirectories.filter { trainedAdapter($0) != nil }
        return MemoryPrediction.frozenBytes(frozenDirectories + adapted, precision)
            + MemoryPrediction.trainedBytes(trainedDirectories.map(trainedCount))
            + MemoryPrediction.averageBytes(averagedDirectories.map(trainedCount))
    }

    /// The policy, where a moving average of it is kept.
    private var averagedDirectories: [String] {
        configuration.reinforcement.emaDecay == nil ? [] : [configuration.model.model]
    }

    /// Elements of what is trained of a model: its adapter, or all of it.
    ///
    /// Directories that cannot be read count nothing: loading them says what is wrong.
    private func trainedCount(_ directory: String) -> Int {
        guard let shape = try? ModelConfiguration(directory: URL(filePath: directory)) else { return 0 }
        return trainedAdapter(directory)?.parameterCount(shape) ?? DecoderCost(shape).parameterCount
    }

    private var frozenDirectories: [String] {
        switch configuration.stage {
        case .sft, .reward: []
        case .kto: [configuration.model.referenceDirectory]
        case .kd: [configuration.distillation.teacherModel]
        case .dpo: configuration.preference.loss.isReferenceFree ? [] : [configuration.model.referenceDirectory]
        case .ppo, .rto:
            [configuration.model.referenceDirectory]
                + configuration.reinforcement.rewardModels.map(\.path)
                + [configuration.tokenReward.dpoModel].compactMap { $0 }
        }
    }
}

extension MemoryPrediction {
    /// Bytes of weights that are only evaluated, in the type they are held in; those of one directory are held once.
    fileprivate static func frozenBytes(_ directories: [String], _ precision: DType) -> Int {
        let bases = directories.map { (try? ModelPlace(URL(filePath: $0)))?.base.standardizedFileURL.path ?? $0 }
        return parameterCount(Array(Set(bases))) * precision.byteSize
    }

    /// Bytes of models that are trained: weights, gradients and two moments of each, in float32.
    fileprivate static func trainedBytes(_ counts: [Int]) -> Int {
        4 * counts.reduce(0, +) * DType.float32.byteSize
    }

    /// Bytes of a copy of the weights in float32.
    fileprivate static func averageBytes(_ counts: [Int]) -> Int {
        counts.reduce(0, +) * DType.float32.byteSize
    }

    /// Directories that cannot be read count nothing: loading them says what is wrong.
    private static func parameterCount(_ directories: [String]) -> Int {
        directories.compactMap { try? ModelConfiguration(directory: URL(filePath: $0)) }
            .map { DecoderCost($0).parameterCount }.reduce(0, +)
    }
}
