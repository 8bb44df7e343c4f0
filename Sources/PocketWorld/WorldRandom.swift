/// A generator of random numbers whose sequence depends on its seed alone: SplitMix64 (Steele, Lea, Flood 2014).
///
/// The whole state is one 64-bit number that can be saved and set again. All draws are made here, not by the standard
/// library, whose ways of choosing may change between versions: the same seed gives the same world on every machine.
public struct WorldRandom: RandomNumberGenerator, Codable, Equatable, Sendable {
    /// The saved state, from which the sequence goes on.
    public private(set) var state: UInt64

    /// A generator at the start of the sequence of a seed, or going on from a saved state.
    public init(state: UInt64) { self.state = state }

    /// The generator of one named purpose of a seed, so that drawing more for one purpose does not change another.
    ///
    /// The name's bytes are hashed by FNV-1a, started from the first number of the seed's own sequence.
    public init(seed: UInt64, purpose: String) {
        var mixer = WorldRandom(state: seed)
        var hash = mixer.next()
        for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        mixer = WorldRandom(state: hash)
        self.init(state: mixer.next())
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number in [0, 1), one of 2⁵³ evenly spaced ones.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number in [`bounds.lowerBound`, `bounds.upperBound`).
    public mutating func uniform(in bounds: ClosedRange<Double>) -> Double {
        bounds.lowerBound + (bounds.upperBound - bounds.lowerBound) * uniform()
    }

    /// Whether an event of this probability happens; below 0 never, from 1 always.
    public mutating func happens(_ probability: Double) -> Bool { uniform() < probability }

    /// A whole number in 0..<`count`, all equally likely (Lemire's multiplication with rejection).
    ///
    /// - Precondition: `count` is positive.
    public mutating func index(below count: Int) -> Int {
        precondition(count > 0, "there is nothing to choose from")
        let range = UInt64(count)
        let rejected = (0 &- range) % range
        while true {
            let product = next().multipliedFullWidth(by: range)
            if product.low >= rejected { return Int(product.high) }
        }
    }

    /// One of the elements, all equally likely.
    ///
    /// - Precondition: there is at least one element.
    public mutating func element<Element>(of elements: [Element]) -> Element {
        elements[index(below: elements.count)]
    }

    /// The elements in random order (Fisher–Yates).
    public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for last in elements.indices.dropFirst().reversed() { elements.swapAt(last, index(below: last + 1)) }
        return elements
    }
}
