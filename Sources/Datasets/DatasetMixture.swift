/// Which rows of several sources are used, and in which order.
///
/// Without weights it is all rows, one source after the other. With weights it is the largest mixture in which the sources stand in the
/// ratio of their weights and no row occurs twice: one source is used up, and of each other a part that is drawn from the seed. A source
/// without a weight beside others that have one counts as 1. The sources are spread evenly over the whole, each in its own order.
struct DatasetMixture {
    /// The rows in their order: the number of the source, and the row's number in it.
    let rows: [(source: Int, row: Int)]

    init(counts: [Int], weights: [Double?], seed: UInt64) {
        guard weights.contains(where: { $0 != nil }) else {
            rows = counts.enumerated().flatMap { source, count in (0..<count).map { (source, $0) } }
            return
        }
        let weights = weights.map { $0 ?? 1 }
        // How much of a weight of 1 the scarcest source allows.
        let scale = zip(counts, weights).map { Double($0) / $1 }.min() ?? 0
        let shares = zip(counts, weights).map { min($0, Int((scale * $1).rounded())) }
        var placed: [(place: Double, source: Int, row: Int)] = []
        for (source, (count, share)) in zip(counts, shares).enumerated() {
            var generator = SplitMix(seed: seed, number: UInt64(source))
            let chosen = share < count ? generator.permutation(count).prefix(share).sorted() : Array(0..<count)
            placed += chosen.enumerated().map { ((Double($0) + 0.5) / Double(share), source, $1) }
        }
        rows = placed.sorted { ($0.place, $0.source) < ($1.place, $1.source) }.map { ($0.source, $0.row) }
    }
}
