/// Which rows of several sources are used, and in which order.
///
/// Without weights it is all rows, one source after the other. With weights it is the largest mixture in which the sources stand in the
/// ratio of their weights and no row occurs twice: one source is used up, and of each other a part that is drawn from the seed. A source
/// without a weight beside others that have one counts as 1. The sources are spread evenly over the whole, each in its own order.
struct DatasetMixture: Sendable {
    /// The number of rows.
    let count: Int
    /// The rows in their order, numbered through all sources; nil where that is 0, 1, 2 and so on.
    private let order: [Int]?
    /// The number of each source's first row.
    private let starts: [Int]

    init(counts: [Int], weights: [Double?], seed: UInt64) {
        var starts = [0]
        for count in counts { starts.append((starts.last ?? 0) + count) }
        self.starts = starts
        guard weights.contains(where: { $0 != nil }) else {
            (count, order) = (counts.reduce(0, +), nil)
            return
        }
        let weights = weights.map { $0 ?? 1 }
        // How much of a weight of 1 the scarcest source allows.
        let scale = zip(counts, weights).map { Double($0) / $1 }.min() ?? 0
        let shares = zip(counts, weights).map { min($0, Int((scale * $1).rounded())) }
        var placed: [(place: Double, row: Int)] = []
        for (source, (count, share)) in zip(counts, shares).enumerated() {
            var generator = SplitMix(seed: seed, number: UInt64(source))
            let chosen = share < count ? generator.permutation(count).prefix(share).sorted() : Array(0..<count)
            placed += chosen.enumerated().map { ((Double($0) + 0.5) / Double(share), starts[source] + $1) }
        }
        // Rows at one place stand in the order of their sources.
        let sorted = placed.sorted { ($0.place, $0.row) < ($1.place, $1.row) }.map(\.row)
        (count, order) = (sorted.count, sorted)
    }

    /// Whether it is all rows as they come.
    var isWhole: Bool { order == nil }

    /// The row at a position, numbered through all sources.
    subscript(position: Int) -> Int { order?[position] ?? position }

    /// Whether the mixture has a row of a source.
    func hasRow(of source: Int) -> Bool {
        let rows = starts[source]..<starts[source + 1]
        return order?.contains { rows.contains($0) } ?? !rows.isEmpty
    }
}
