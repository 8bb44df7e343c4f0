import Torch

/// The mean and deviation of a reward model's scores, by which later scores are normalised.
///
/// The reference stores them in the reward model's configuration after evaluating it on preference pairs.
public struct RewardStatistics: Sendable, Equatable {
    /// The mean score μ.
    public let mean: Double
    /// The standard deviation σ, at least 1e-8.
    public let deviation: Double

    /// Statistics measured before; a deviation below 1e-8 counts as 1e-8.
    public init(mean: Double, deviation: Double) {
        self.mean = mean
        self.deviation = max(deviation, 1e-8)
    }

    /// Measures scores, of chosen and rejected responses alike; the deviation is the unbiased one, over n − 1.
    ///
    /// - Returns: `nil` for fewer than two scores, which have no deviation
    public init?(scores: [Double]) {
        guard scores.count > 1 else { return nil }
        let mean = scores.reduce(0, +) / Double(scores.count)
        let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(mean: mean, deviation: (squares / Double(scores.count - 1)).squareRoot())
    }

    /// (scores − μ) / σ, of the same shape.
    public func normalized(_ scores: Tensor) -> Tensor { (scores.precise - mean) / deviation }
}
