/// The bytes of a token as they may stand on a terminal: on one line, harmless, with what is invisible made visible.
///
/// Bytes that are no UTF-8 are written as `\xE2`, line breaks and tabs as `⏎` and `→`, and every other character that has no shape
/// of its own, an escape code's first one for instance, by its number.
public func visibleText(_ bytes: [UInt8], marksSpaces: Bool = false) -> String {
    var text = ""
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    while true {
        switch parser.parseScalar(from: &rest) {
        case .valid(let encoded):
            position += encoded.count
            text += visible(Unicode.UTF8.decode(encoded), marksSpaces)
        case .error(let length):
            for byte in bytes[position..<position + length] { text += escape(#"\x"#, UInt32(byte), 2) }
            position += length
        case .emptyInput: return text
        }
    }
}

private func visible(_ scalar: Unicode.Scalar, _ marksSpaces: Bool) -> String {
    switch scalar {
    case "\n": return "⏎"
    case "\t": return "→"
    case " ": return marksSpaces ? "·" : " "
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .unassigned, .privateUse, .surrogate:
        return escape(#"\u{"#, scalar.value, 4) + "}"
    default: return String(scalar)
    }
}

private func escape(_ start: String, _ value: UInt32, _ digits: Int) -> String {
    let number = String(value, radix: 16, uppercase: true)
    return start + String(repeating: "0", count: max(0, digits - number.count)) + number
}
