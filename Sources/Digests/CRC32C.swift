/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4): it finds damage, and forgers make it at will.
public enum CRC32C {
    /// The polynomial 0x1EDC6F41 with its bits in reverse, since the check takes the lowest bit of a byte first.
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// What each value of a byte adds to the check.
    private static let table = (0..<UInt32(256)).map { byte in
        (0..<8).reduce(byte) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ polynomial : rest >> 1 }
    }

    /// The check of bytes.
    public static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { rest, byte in rest >> 8 ^ table[Int((rest ^ UInt32(byte)) & 0xFF)] }
    }
}
