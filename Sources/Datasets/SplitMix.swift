/// SplitMix64 (Steele, Lea, Flood 2014): random bits that depend on the seed alone, on any machine and with any version of Swift.
struct SplitMix {
    private var state: UInt64

    /// A generator for one purpose: seeds and numbers that differ in any bit give unrelated sequences.
    init(seed: UInt64, number: UInt64) {
        var mixer = SplitMix(state: seed)
        state = mixer.next() &+ number
        state = next()
    }

    private init(state: UInt64) { self.state = state }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number from 0 to below the bound, each equally likely (Lemire 2019).
    mutating func next(below bound: Int) -> Int {
        let bound = UInt64(bound)
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= (0 &- bound) % bound { return Int(product.high) }
        }
    }

    /// The numbers from 0 to below a count in random order (Fisher and Yates).
    mutating func permutation(_ count: Int) -> [Int] {
        var numbers = Array(0..<count)
        for last in numbers.indices.dropFirst().reversed() { numbers.swapAt(last, next(below: last + 1)) }
        return numbers
    }
}
