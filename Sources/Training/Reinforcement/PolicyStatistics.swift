import Torch

/// What the policy says of response tokens before the first update, flat `[response tokens]`.
struct PolicyStatistics {
    /// log π of each token, at the sampling temperature.
    var logProbabilities: [Float] = []
    /// Entropy of each token's distribution, in nats.
    var entropies: [Float] = []
}

/// The mean magnitude of the differences of two lists of log-probabilities.
struct MeanDifference {
    /// Whether anything is to be measured.
    let isMeasured: Bool
    private var sum = 0.0
    private var count = 0

    init(isMeasured: Bool) { self.isMeasured = isMeasured }

    var mean: Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ new: Tensor, _ old: Tensor) {
        guard isMeasured else { return }
        sum += (new.detached().to(.cpu) - old).magnitude().sum().scalar
        count += old.count
    }
}
