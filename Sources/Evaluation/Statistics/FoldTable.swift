/// Which part of a cross-validation holds each row out.
public struct FoldTable: Equatable, Sendable {
    /// The fold of each row.
    public let folds: [Int]

    /// A given table.
    public init(_ folds: [Int]) { self.folds = folds }

    /// scikit-learn's `GroupKFold` with groups of one size, as NumPy without vector instructions orders them.
    ///
    /// The groups are sorted by size, descending, and dealt out in turn. All sizes are equal, so their order is whatever
    /// the sorting algorithm leaves: an unstable quicksort here, another one where NumPy finds AVX-512. The published numbers
    /// come from either.
    public static func classicNumPy(groups: Int, folds count: Int = 5) -> FoldTable {
        var folds = [Int](repeating: 0, count: groups)
        for (rank, group) in orderLeftByEqualKeys(groups).reversed().enumerated() { folds[group] = rank % count }
        return FoldTable(folds)
    }

    /// What NumPy's quicksort of indices makes of keys that are all equal: every comparison is false, so only the swaps of
    /// its partitioning move anything; its insertion sort of the last 16 or fewer moves nothing.
    private static func orderLeftByEqualKeys(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        var parts = [(0, count - 1)]
        while let (first, last) = parts.popLast() {
            guard last - first > 15 else { continue }
            let middle = first + (last - first) / 2
            var (low, high) = (first, last - 1)
            order.swapAt(middle, high)
            while true {
                low += 1
                high -= 1
                if low >= high { break }
                order.swapAt(low, high)
            }
            order.swapAt(low, last - 1)
            parts.append((first, low - 1))
            parts.append((low + 1, last))
        }
        return order
    }
}
