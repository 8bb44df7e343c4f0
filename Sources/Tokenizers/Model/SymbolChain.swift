/// The symbols of one word while byte-pair encoding merges them, kept for reuse from word to word.
struct SymbolChain {
    private struct Symbol {
        var id: UInt32
        /// Positions of the neighbours, -1 at the ends; a symbol merged into its left neighbour has `isMerged` set.
        var previous: Int32
        var next: Int32
        var isMerged = false
    }

    private var symbols: [Symbol] = []
    /// A binary heap of possible merges, the lowest rank first and at equal rank the leftmost: `rank << 32 | position`.
    private var queue = MergeQueue()

    mutating func removeAll() {
        symbols.removeAll(keepingCapacity: true)
    }

    mutating func append(_ id: UInt32) {
        let position = Int32(symbols.count)
        symbols.append(Symbol(id: id, previous: position - 1, next: -1))
        if position > 0 { symbols[Int(position) - 1].next = position }
    }

    /// Applies all merges, in the order of their ranks.
    mutating func merge(using merges: MergeTable) {
        guard symbols.count > 1 else { return }
        queue.removeAll()
        for position in 0..<symbols.count - 1 { enqueue(position, merges) }
        while let candidate = queue.popFirst() {
            let position = candidate.position
            guard !symbols[position].isMerged, symbols[position].next >= 0 else { continue }
            let next = Int(symbols[position].next)
            // The pair may have changed since it was queued.
            guard let merge = merges[symbols[position].id, symbols[next].id], merge.rank == candidate.rank else {
                continue
            }
            join(position, next, into: merge.token)
            if symbols[position].previous >= 0 { enqueue(Int(symbols[position].previous), merges) }
            enqueue(position, merges)
        }
    }

    func appendIDs(to ids: inout [Int]) {
        for symbol in symbols where !symbol.isMerged { ids.append(Int(symbol.id)) }
    }

    private mutating func enqueue(_ position: Int, _ merges: MergeTable) {
        let next = Int(symbols[position].next)
        guard next >= 0, let merge = merges[symbols[position].id, symbols[next].id] else { return }
        queue.insert(rank: merge.rank, position: position)
    }

    private mutating func join(_ left: Int, _ right: Int, into id: UInt32) {
        let following = symbols[right].next
        symbols[left].id = id
        symbols[left].next = following
        symbols[right].isMerged = true
        if following >= 0 { symbols[Int(following)].previous = Int32(left) }
    }
}

/// A binary heap of the merges that may come next.
private struct MergeQueue {
    /// `rank << 32 | position`, so that one comparison orders by rank and then from left to right.
    private var heap: [UInt64] = []

    mutating func removeAll() {
        heap.removeAll(keepingCapacity: true)
    }

    mutating func insert(rank: UInt32, position: Int) {
        let key = UInt64(rank) << 32 | UInt64(position)
        var place = heap.count
        heap.append(key)
        while place > 0, heap[(place - 1) / 2] > key {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = key
    }

    mutating func popFirst() -> (rank: UInt32, position: Int)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last) }
        return (UInt32(truncatingIfNeeded: first >> 32), Int(first & 0xFFFF_FFFF))
    }

    private mutating func sink(_ key: UInt64) {
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
            guard heap[child] < key else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = key
    }
}
