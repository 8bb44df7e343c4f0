/// The tokens of a model by id and by their exact bytes.
///
/// `String` keys would not do: `String ==` is canonical equivalence, under which distinct tokens are equal.
struct Vocabulary: Sendable {
    /// All tokens, one after the other.
    private var storage: [UInt8] = []
    /// The token of each id as a range of `storage`; `nil` where no token has that id.
    private var ranges: [Range<Int>?] = []
    /// Open-addressing table of ids, -1 where free, at most half full.
    private var slots = [Int32](repeating: -1, count: 16)
    private var tokenCount = 0
    /// Random, so that no file can be made to collide on purpose.
    private let seed = UInt64.random(in: 0 ... .max)

    init() {}

    /// The highest id plus one.
    var size: Int { ranges.count }

    /// The ids that have a token, in ascending order.
    var ids: [Int] { ranges.indices.filter { ranges[$0] != nil } }

    /// Adds a token and says whether neither it nor its id was there before.
    mutating func insert(_ token: String, id: Int) -> Bool {
        var token = token
        return token.withUTF8 { insert($0, id: id) }
    }

    private mutating func insert(_ token: UnsafeBufferPointer<UInt8>, id: Int) -> Bool {
        while ranges.count <= id { ranges.append(nil) }
        guard ranges[id] == nil, self.id(of: token) == nil else { return false }
        ranges[id] = storage.count..<storage.count + token.count
        storage.append(contentsOf: token)
        tokenCount += 1
        if tokenCount * 2 > slots.count { grow() } else { enter(id, hash: hash(token)) }
        return true
    }

    /// The bytes of a token, or `nil` where no token has that id.
    func token(_ id: Int) -> ArraySlice<UInt8>? {
        guard ranges.indices.contains(id), let range = ranges[id] else { return nil }
        return storage[range]
    }

    func id(of token: UnsafeBufferPointer<UInt8>) -> Int? {
        var slot = hash(token) & (slots.count - 1)
        while slots[slot] >= 0 {
            let id = Int(slots[slot])
            if hasBytes(id, token) { return id }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    func id(of token: [UInt8]) -> Int? {
        token.withUnsafeBufferPointer { id(of: $0) }
    }

    func id(of token: String) -> Int? {
        var token = token
        return token.withUTF8 { id(of: $0) }
    }

    private func hasBytes(_ id: Int, _ token: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let range = ranges[id], range.count == token.count else { return false }
        for offset in 0..<token.count where storage[range.lowerBound + offset] != token[offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        storage.withUnsafeBufferPointer { storage in
            for (id, range) in ranges.enumerated() {
                guard let range else { continue }
                enter(id, hash: hash(UnsafeBufferPointer(rebasing: storage[range])))
            }
        }
    }

    private mutating func enter(_ id: Int, hash: Int) {
        var slot = hash & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(id)
    }

    /// Multiplies and folds eight bytes at a time: several times as fast as the standard hasher on short tokens.
    private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        var state = seed ^ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            state = Self.mix(state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return Int(truncatingIfNeeded: Self.mix(state ^ rest) >> 1)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
