/// The fields of a message in Google's protocol buffers, as far as SentencePiece's files need them.
struct ProtocolBuffer {
    /// A field's value by its kind on the wire.
    enum Value {
        case integer(UInt64)
        case float(Float)
        case bytes(ArraySlice<UInt8>)
    }

    private(set) var fields: [(number: Int, value: Value)] = []

    /// Reads a message, or nil where the bytes are none.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            guard let tag = Self.takeInteger(&rest), tag >> 3 > 0, let number = Int(exactly: tag >> 3) else {
                return nil
            }
            switch tag & 7 {
            case 0:
                guard let value = Self.takeInteger(&rest) else { return nil }
                fields.append((number, .integer(value)))
            case 2:
                guard let count = Self.takeInteger(&rest), count <= UInt64(rest.count) else { return nil }
                fields.append((number, .bytes(rest.prefix(Int(count)))))
                rest = rest.dropFirst(Int(count))
            case 5:
                guard rest.count >= 4 else { return nil }
                let bits = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                fields.append((number, .float(Float(bitPattern: bits))))
                rest = rest.dropFirst(4)
            case 1:
                guard rest.count >= 8 else { return nil }
                rest = rest.dropFirst(8)
            default: return nil
            }
        }
    }

    /// Takes an integer of seven bits a byte, the lowest first.
    private static func takeInteger(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    func integer(_ number: Int) -> Int? {
        for case (number, .integer(let value)) in fields.reversed() { return Int(truncatingIfNeeded: value) }
        return nil
    }

    func bool(_ number: Int) -> Bool? { integer(number).map { $0 != 0 } }

    func float(_ number: Int) -> Float? {
        for case (number, .float(let value)) in fields.reversed() { return value }
        return nil
    }

    func bytes(_ number: Int) -> ArraySlice<UInt8>? {
        for case (number, .bytes(let value)) in fields.reversed() { return value }
        return nil
    }

    func string(_ number: Int) -> String? { bytes(number).flatMap { String(validating: $0, as: UTF8.self) } }

    /// The messages of a repeated field; nil where one of them is none.
    func messages(_ number: Int) -> [ProtocolBuffer]? {
        var messages: [ProtocolBuffer] = []
        for case (number, .bytes(let bytes)) in fields {
            guard let message = ProtocolBuffer(bytes) else { return nil }
            messages.append(message)
        }
        return messages
    }
}
