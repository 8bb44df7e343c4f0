/// An open-addressing table from the hash of a key to the position of its member.
///
/// The table keeps the hashes, so that it grows without touching the keys.
struct KeyIndex: Sendable {
    private struct Slot {
        var hash: UInt32
        var position: Int32

        static let free = Slot(hash: 0, position: -1)
    }

    private var slots = [Slot](repeating: .free, count: 32)
    private var count = 0

    /// The standard library's seeded hash of the bytes, so that no file can be made to collide on purpose.
    static func hash(_ key: String) -> UInt32 {
        var hasher = Hasher()
        key.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    func firstPosition(hash: UInt32, where matches: (Int) -> Bool) -> Int? {
        var place = Int(hash) & (slots.count - 1)
        while slots[place].position >= 0 {
            let slot = slots[place]
            if slot.hash == hash, matches(Int(slot.position)) { return Int(slot.position) }
            place = (place + 1) & (slots.count - 1)
        }
        return nil
    }

    mutating func insert(_ position: Int, hash: UInt32) {
        if (count + 1) * 2 > slots.count { grow() }
        enter(Slot(hash: hash, position: Int32(position)))
        count += 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: .free, count: old.count * 2)
        for slot in old where slot.position >= 0 { enter(slot) }
    }

    private mutating func enter(_ slot: Slot) {
        var place = Int(slot.hash) & (slots.count - 1)
        while slots[place].position >= 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = slot
    }
}
