import Torch

/// How well rewards tell chosen from rejected responses; the statistics of parts of a batch add up.
public struct PairStatistics: Sendable, Equatable {
    /// The number of pairs.
    public private(set) var pairCount = 0
    private var winCount = 0
    private var chosenSum = 0.0
    private var rejectedSum = 0.0

    /// The statistics of no pairs.
    public init() {}

    /// Counts pairs by the rewards of their responses, both `[pairs]`.
    public init(chosen: Tensor, rejected: Tensor) {
        let (chosen, rejected) = (chosen.doubles, rejected.doubles)
        precondition(chosen.count == rejected.count, "a pair has two rewards")
        pairCount = chosen.count
        winCount = zip(chosen, rejected).count { $0 > $1 }
        chosenSum = chosen.reduce(0, +)
        rejectedSum = rejected.reduce(0, +)
    }

    /// The share of pairs whose chosen response has the strictly higher reward.
    public var accuracy: Double { mean(Double(winCount)) }

    /// The mean reward of the chosen responses.
    public var chosen: Double { mean(chosenSum) }

    /// The mean reward of the rejected responses.
    public var rejected: Double { mean(rejectedSum) }

    /// The mean of chosen minus rejected reward.
    public var margin: Double { mean(chosenSum - rejectedSum) }

    /// The statistics of two sets of pairs together.
    public static func + (a: PairStatistics, b: PairStatistics) -> PairStatistics {
        var sum = a
        sum.pairCount += b.pairCount
        sum.winCount += b.winCount
        sum.chosenSum += b.chosenSum
        sum.rejectedSum += b.rejectedSum
        return sum
    }

    private func mean(_ sum: Double) -> Double { pairCount == 0 ? 0 : sum / Double(pairCount) }
}
