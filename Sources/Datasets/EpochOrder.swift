/// The order in which the rows of a data set are seen in one epoch, the same whenever it is asked for.
///
/// A run that stops is resumed by making the order of the epoch again and going on at the row where it stopped. The order is a
/// Fisher–Yates permutation drawn by SplitMix64 from seed and epoch.
public struct EpochOrder: Sendable, Equatable {
    /// The rows' numbers in the order in which they are seen.
    public let indices: [Int]

    /// The order of an epoch.
    ///
    /// - Parameters:
    ///   - count: The number of rows.
    ///   - seed: What the order is drawn from, together with the epoch.
    ///   - epoch: The number of the epoch.
    ///   - shuffles: Whether the order is drawn at all; otherwise it is that of the rows.
    public init(count: Int, seed: UInt64, epoch: Int, shuffles: Bool = true) {
        var generator = SplitMix(seed: seed, number: UInt64(bitPattern: Int64(epoch)))
        indices = shuffles ? generator.permutation(count) : Array(0..<count)
    }

    /// The order in batches.
    ///
    /// - Parameters:
    ///   - size: The rows of a batch, at least one.
    ///   - keepsIncomplete: Whether a last batch of fewer rows is kept; the reference drops it.
    public func batches(of size: Int, keepsIncomplete: Bool) -> [[Int]] {
        precondition(size > 0, "a batch has at least one row")
        let batches = stride(from: 0, to: indices.count, by: size).map {
            Array(indices[$0..<min($0 + size, indices.count)])
        }
        return batches.last.map { $0.count < size && !keepsIncomplete } == true ? batches.dropLast() : batches
    }
}
