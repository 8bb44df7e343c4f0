/// A prefix tree of tokens that finds all tokens which a text has at a place.
///
/// Children stand in one open-addressing table, so that a step costs one cache miss.
struct ByteTrie: Sendable {
    private var slots: [Slot]
    private var count = 0
    private var nodeCount: Int32 = 1
    /// The token that ends at each node, -1 where there is none.
    private var tokens: [Int32] = [-1]

    private struct Slot {
        /// The parent and the byte, -1 where free.
        var key: Int64
        var child: Int32
    }

    init() { slots = [Slot](repeating: Slot(key: -1, child: 0), count: 1 << 10) }

    mutating func insert(_ token: ArraySlice<UInt8>, _ id: Int) {
        guard !token.isEmpty else { return }
        var node: Int32 = 0
        for byte in token { node = child(of: node, byte) ?? addChild(to: node, byte) }
        tokens[Int(node)] = Int32(id)
    }

    /// Calls `body` with the end and the id of each token that the text has from `start` on, the shortest one first.
    func forEachPrefix(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Int, Int) -> Void) {
        var node: Int32 = 0
        var position = start
        while position < text.count, let next = child(of: node, text[position]) {
            node = next
            position += 1
            let id = tokens[Int(node)]
            if id >= 0 { body(position, Int(id)) }
        }
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> Int64 { Int64(node) << 8 | Int64(byte) }

    private func place(of key: Int64) -> Int {
        let product = UInt64(key).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low) & (slots.count - 1)
    }

    private func child(of node: Int32, _ byte: UInt8) -> Int32? {
        let key = Self.key(node, byte)
        var place = place(of: key)
        while slots[place].key != -1 {
            if slots[place].key == key { return slots[place].child }
            place = (place + 1) & (slots.count - 1)
        }
        return nil
    }

    private mutating func addChild(to node: Int32, _ byte: UInt8) -> Int32 {
        if (count + 1) * 2 > slots.count {
            let old = slots
            slots = [Slot](repeating: Slot(key: -1, child: 0), count: old.count * 2)
            for slot in old where slot.key != -1 { enter(slot) }
        }
        enter(Slot(key: Self.key(node, byte), child: nodeCount))
        count += 1
        tokens.append(-1)
        nodeCount += 1
        return nodeCount - 1
    }

    private mutating func enter(_ slot: Slot) {
        var place = place(of: slot.key)
        while slots[place].key != -1 { place = (place + 1) & (slots.count - 1) }
        slots[place] = slot
    }
}
