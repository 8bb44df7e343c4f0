/// What becomes of a pair of neighbouring tokens: the merge's rank (lower goes first) and the token it makes.
struct Merge {
    var rank: UInt32
    var token: UInt32
}

/// The merges of byte-pair encoding by their pair of token ids.
struct MergeTable: Sendable {
    /// Open-addressing table, at most half full: the pair and its merge side by side, so that a look-up costs one cache
    /// miss.
    private var slots: [Slot]
    private let mask: Int

    private struct Slot {
        var pair: UInt64
        var merge: UInt64
    }

    private static let free = UInt64.max

    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(pair: Self.free, merge: 0), count: size)
        mask = size - 1
    }

    /// The merge of two neighbours, or `nil` where they stay apart.
    subscript(left: UInt32, right: UInt32) -> Merge? {
        let pair = UInt64(left) << 32 | UInt64(right)
        var place = place(of: pair)
        while true {
            let slot = slots[place]
            if slot.pair == pair {
                return Merge(
                    rank: UInt32(truncatingIfNeeded: slot.merge >> 32),
                    token: UInt32(truncatingIfNeeded: slot.merge)
                )
            }
            if slot.pair == Self.free { return nil }
            place = (place + 1) & mask
        }
    }

    /// Sets the merge of a pair; of equal pairs the last one counts.
    mutating func insert(left: UInt32, right: UInt32, _ merge: Merge) {
        let pair = UInt64(left) << 32 | UInt64(right)
        var place = place(of: pair)
        while slots[place].pair != Self.free, slots[place].pair != pair { place = (place + 1) & mask }
        slots[place] = Slot(pair: pair, merge: UInt64(merge.rank) << 32 | UInt64(merge.token))
    }

    private func place(of pair: UInt64) -> Int {
        let product = pair.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low) & mask
    }
}
