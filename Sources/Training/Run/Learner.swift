import Configuration
import Foundation
import Models
import Objectives
import Safetensors
import Torch

/// One set of parameters with its optimizer and its learning rates.
final class Learner {
    /// The name of its files in a checkpoint.
    let name: String
    let parameters: ParameterStore
    private var optimizer: AdamW
    private let peakLearningRate: Double
    private let settings: OptimizerSettings
    private let totalSteps: Int

    /// A learner whose highest rate is that of the settings, unless another is given.
    init(
        _ name: String,
        _ parameters: ParameterStore,
        settings: OptimizerSettings,
        learningRate: Double? = nil,
        totalSteps: Int
    ) {
        self.name = name
        self.parameters = parameters
        self.settings = settings
        self.totalSteps = totalSteps
        peakLearningRate = learningRate ?? settings.learningRate
        optimizer = AdamW(
            parameters.tensors,
            decayed: parameters.decayed,
            beta1: settings.beta1,
            beta2: settings.beta2,
            epsilon: settings.epsilon,
            weightDecay: settings.weightDecay
        )
    }

    /// The rate of the update after `step` updates.
    func learningRate(step: Int) -> Double {
        let warmup = Objectives.LearningRateSchedule.warmupSteps(ratio: settings.warmupRatio, totalSteps: totalSteps)
        return peakLearningRate
            * settings.objective.factor(step: step, totalSteps: totalSteps, warmupSteps: warmup)
    }

    /// Clips the gradients that micro-batches have added up, takes the step and returns their norm before clipping.
    ///
    /// - Throws: `TrainingError` with status 75 where the norm is not finite; this learner is unchanged then.
    func update(step: Int) throws -> Double {
        let norm =
            settings.maxGradientNorm > 0
            ? clipGradients(parameters.tensors, maximum: settings.maxGradientNorm) : gradientNorm(parameters.tensors)
        guard norm.isFinite else {
            throw TrainingError.diverged(step: step + 1, quantity: "the \(name)'s gradient norm")
        }
        optimizer.update(learningRate: learningRate(step: step))
        parameters.adapter?.dropout?.begin(step: optimizer.step)
        return norm
    }

    /// Whether every weight is a finite number; a step can overflow although its gradient did not.
    var isFinite: Bool { withoutGradients { parameters.tensors.allSatisfy { $0.isFinite().allTrue() } } }

    /// Writes the optimizer's state to `<name>_optimizer.safetensors`.
    func saveOptimizer(to directory: URL) throws {
        let means = zip(parameters.names, optimizer.means).map { ("mean." + $0, $1) }
        let squares = zip(parameters.names, optimizer.squares).map { ("square." + $0, $1) }
        let step = ("step", Tensor([optimizer.step]))
        try writeTensors(means + squares + [step], to: directory.appending(path: fileName))
    }

    /// Restores the optimizer's state from a checkpoint.
    func restoreOptimizer(from directory: URL) throws {
        let file = try SafetensorsFile(url: directory.appending(path: fileName))
        func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
            guard let tensor = file.tensor(name), tensor.shape == shape else {
                throw TrainingError("\(file.url.path): the optimizer's state has no \(name) of shape \(shape)")
            }
            return tensor
        }
        let masters = zip(parameters.names, parameters.tensors.map(\.shape))
        try optimizer.restore(
            means: masters.map { try tensor("mean." + $0, $1) },
            squares: masters.map { try tensor("square." + $0, $1) },
            step: tensor("step", [1]).integers[0]
        )
        parameters.adapter?.dropout?.begin(step: optimizer.step)
    }

    private var fileName: String { name + "_optimizer.safetensors" }
}

extension OptimizerSettings {
    /// The schedule's equation.
    var objective: Objectives.LearningRateSchedule {
        switch schedule {
        case .constant: .constant
        case .linear: .linear
        case .cosine: .cosine
        case .cosineWithMinimum: .cosineWithMinimum(ratio: minimumRatio)
        }
    }
}

extension TrainConfiguration {
    /// The normalisation of a loss over tokens.
    var normalization: Objectives.LossNormalization {
        switch optimizer.lossNormalization {
        case .token: .token
        case .sequence: .sequence
        case .constant: .constant(Double(reinforcement.sampling.maxNewTokens))
        }
    }
}
