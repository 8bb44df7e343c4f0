/// Which neighbouring characters some token holds side by side.
///
/// Where two neighbours are in no token together, no merge can ever cross from one to the other, and a long text may be
/// cut there without changing its ids. The filter may say yes where the answer is no, which only loses a place to cut.
struct JoinFilter: Sendable {
    private static let sizeInBits: UInt32 = 1 << 18
    private var bits = [UInt64](repeating: 0, count: Int(sizeInBits / 64))

    init(_ vocabulary: Vocabulary) {
        for id in 0..<vocabulary.size {
            vocabulary.token(id)?.withUnsafeBufferPointer { insertPairs(of: $0) }
        }
    }

    private mutating func insertPairs(of token: UnsafeBufferPointer<UInt8>) {
        var previous: UInt32?
        var position = 0
        while position < token.count {
            let scalar = UTF8Text.scalar(at: position, in: token)
            if let previous {
                let bit = Self.bit(previous, scalar)
                bits[bit / 64] |= 1 << UInt64(bit % 64)
            }
            previous = scalar
            position += UTF8Text.lengthOfCharacter(startingWith: token[position])
        }
    }

    func mayJoin(_ left: UInt32, _ right: UInt32) -> Bool {
        let bit = Self.bit(left, right)
        return bits[bit / 64] >> UInt64(bit % 64) & 1 != 0
    }

    private static func bit(_ left: UInt32, _ right: UInt32) -> Int {
        Int((left &* 0x9E37_79B1 &+ right &* 0x85EB_CA77) >> 14 & (sizeInBits - 1))
    }
}
