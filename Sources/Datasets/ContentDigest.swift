/// A number that tells contents apart, the same on any machine: FNV-1a over bytes, 64 bits.
///
/// It guards against mistakes, not against malice.
public struct ContentDigest: Sendable, Equatable {
    /// The number.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The digest of nothing.
    public init() {}

    /// Adds bytes behind those added before.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    /// The number in hexadecimal digits.
    public var text: String { String(value, radix: 16) }
}
