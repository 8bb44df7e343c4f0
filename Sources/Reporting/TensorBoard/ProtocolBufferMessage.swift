/// The bytes of one message in the encoding of Protocol Buffers, written field by field.
struct ProtocolBufferMessage {
    private(set) var bytes: [UInt8] = []

    /// How a field's value is encoded; its number in the encoding.
    private enum Wire: UInt64 {
        case varint = 0
        case eightBytes = 1
        case lengthDelimited = 2
        case fourBytes = 5
    }

    /// Adds a whole number or the number of an enumeration's case.
    mutating func add(whole number: Int64, field: UInt64) {
        key(field, .varint)
        varint(UInt64(bitPattern: number))
    }

    mutating func add(_ number: Double, field: UInt64) {
        key(field, .eightBytes)
        withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func add(_ number: Float, field: UInt64) {
        key(field, .fourBytes)
        withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func add(_ text: String, field: UInt64) { add(Array(text.utf8), field: field) }

    mutating func add(_ message: ProtocolBufferMessage, field: UInt64) { add(message.bytes, field: field) }

    private mutating func add(_ content: [UInt8], field: UInt64) {
        key(field, .lengthDelimited)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func key(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

    /// Seven bits a byte, the lowest first; the highest bit of a byte says that more follow.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
