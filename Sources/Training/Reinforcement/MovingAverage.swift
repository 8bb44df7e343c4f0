import Models
import Torch

/// An exponential moving average of weights that are trained: θ̄ ← d·θ̄ + (1 − d)·θ after each optimizer step, in float32.
final class MovingAverage {
    private let parameters: ParameterStore
    private let averages: [Tensor]
    private let decay: Double

    /// An average that starts at the weights as they are.
    init(of parameters: ParameterStore, decay: Double) {
        self.parameters = parameters
        self.decay = decay
        averages = parameters.tensors.map { $0.detached().clone() }
    }

    /// Takes the weights of a step.
    func update() {
        withoutGradients {
            for (average, weight) in zip(averages, parameters.tensors) {
                average.copy(from: decay * average + (1 - decay) * weight)
            }
        }
    }

    /// Puts the average in the place of the weights while a model is written.
    func replacingWeights(_ body: () throws -> Void) rethrows {
        exchange()
        defer { exchange() }
        try body()
    }

    private func exchange() {
        withoutGradients {
            for (average, weight) in zip(averages, parameters.tensors) {
                let kept = weight.detached().clone()
                weight.copy(from: average)
                average.copy(from: kept)
            }
        }
    }

    // In a checkpoint.

    /// The averages, under the names of the weights.
    var saved: [(name: String, tensor: Tensor)] { zip(parameters.names, averages).map { ("ema." + $0, $1) } }

    /// Takes up the averages of a checkpoint.
    func restore(_ state: StageState) throws {
        for (name, average) in saved {
            guard let tensor = state.tensor(name), tensor.shape == average.shape else {
                throw TrainingError("the checkpoint's state has no \(name) of shape \(average.shape)")
            }
            average.copy(from: tensor)
        }
    }
}
