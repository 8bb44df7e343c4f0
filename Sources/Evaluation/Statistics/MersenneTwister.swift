import Digests

/// MT19937 (Matsumoto, Nishimura 1998), as Python's `random` and NumPy's `RandomState` use it.
///
/// The original programs draw with it: the order in which AlpacaEval shows two answers, Arena-Hard's bootstraps. The same
/// seed gives the same draws.
public struct MersenneTwister: Sendable {
    private var state: [UInt32]
    private var position = 624

    /// The state of `numpy.random.seed(number)`.
    public init(seed: UInt32) {
        state = [seed]
        for index in 1..<624 {
            let last = state[index - 1]
            state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
        }
    }

    /// The state of Python's `random.Random(text)`: the text's UTF-8 bytes and their SHA-512 digest, read as one big-endian
    /// number, are its key.
    public init(pythonSeed text: String) {
        let utf8 = Array(text.utf8)
        let bytes = Array((utf8 + MessageDigest.digest(utf8, .sha512)).reversed())
        self.init(
            key: stride(from: 0, to: bytes.count, by: 4).map { start in
                bytes[start..<min(start + 4, bytes.count)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
        )
    }

    /// The authors' initialization by an array.
    ///
    /// Python drops the zero words at the number's upper end.
    private init(key: [UInt32]) {
        self.init(seed: 19_650_218)
        let key = Array(key.prefix((key.lastIndex { $0 != 0 } ?? 0) + 1))
        var index = 1
        func mixed(_ state: [UInt32], _ factor: UInt32) -> UInt32 {
            state[index] ^ (state[index - 1] ^ state[index - 1] >> 30) &* factor
        }
        func advance(_ state: inout [UInt32]) {
            index += 1
            if index == 624 { (state[0], index) = (state[623], 1) }
        }
        for step in 0..<max(624, key.count) {
            state[index] = mixed(state, 1_664_525) &+ key[step % key.count] &+ UInt32(step % key.count)
            advance(&state)
        }
        for _ in 0..<623 {
            state[index] = mixed(state, 1_566_083_941) &- UInt32(index)
            advance(&state)
        }
        state[0] = 0x8000_0000
    }

    /// The next 32 random bits.
    public mutating func next() -> UInt32 {
        if position == 624 { twist() }
        var bits = state[position]
        position += 1
        bits ^= bits >> 11
        bits ^= bits << 7 & 0x9D2C_5680
        bits ^= bits << 15 & 0xEFC6_0000
        return bits ^ bits >> 18
    }

    private mutating func twist() {
        for index in 0..<624 {
            let bits = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7FFF_FFFF
            state[index] = state[(index + 397) % 624] ^ bits >> 1 ^ (bits & 1) &* 0x9908_B0DF
        }
        position = 0
    }

    /// A number in [0, 1) with 53 random bits: Python's `random()`.
    public mutating func uniform() -> Double {
        let (high, low) = (next() >> 5, next() >> 6)
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }

    /// A number from 0 to below the bound: `numpy.random.randint`, which draws again where masked bits are too large.
    public mutating func index(below bound: Int) -> Int {
        let largest = UInt32(bound - 1)
        guard largest > 0 else { return 0 }
        let mask = UInt32.max >> UInt32(largest.leadingZeroBitCount)
        while true {
            let drawn = next() & mask
            if drawn <= largest { return Int(drawn) }
        }
    }
}
