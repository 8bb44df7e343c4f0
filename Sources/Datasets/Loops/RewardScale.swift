/// Rewards as multiples of their deviation from their mean: z = (r − mean) / s, s² = Σ(r − mean)² / (n − 1).
///
/// The deviation is the unbiased one, as conditional SFT's reference implementation has it.
public struct RewardScale: Sendable, Equatable {
    /// The mean of all rewards.
    public let mean: Double
    /// Their deviation, more than 0.
    public let deviation: Double

    /// The scale of some rewards; nil where they do not differ.
    public init?(_ rewards: [Double]) {
        guard rewards.count > 1 else { return nil }
        let mean = rewards.reduce(0, +) / Double(rewards.count)
        let squares = rewards.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
        let deviation = (squares / Double(rewards.count - 1)).squareRoot()
        guard deviation > 0, deviation.isFinite else { return nil }
        self.mean = mean
        self.deviation = deviation
    }

    /// A reward on this scale.
    public func callAsFunction(_ reward: Double) -> Double { (reward - mean) / deviation }
}
