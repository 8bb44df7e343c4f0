extension JSON {
    /// The JSON text of this value, on one line without spaces or, if `pretty`, indented by two spaces a level.
    ///
    /// Members keep their order, text stays UTF-8, and numbers take the shortest form that reads back equal. Numbers
    /// that are not finite are written as Python writes and reads them: `NaN`, `Infinity`, `-Infinity`.
    public func serialized(pretty: Bool = false) -> String {
        var writer = JSONWriter(isPretty: pretty)
        writer.write(self)
        return writer.text
    }
}

private struct JSONWriter {
    let isPretty: Bool
    var text = ""
    private var level = 0

    init(isPretty: Bool) { self.isPretty = isPretty }

    mutating func write(_ value: JSON) {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): write(value)
        case .string(let value): write(value)
        case .array(let elements):
            writeList("[", elements, "]") { writer, element in writer.write(element) }
        case .object(let object):
            writeList("{", object.members, "}") { writer, member in
                writer.write(member.key)
                writer.text += writer.isPretty ? ": " : ":"
                writer.write(member.value)
            }
        }
    }

    private mutating func writeList<Element>(
        _ opening: String,
        _ elements: [Element],
        _ closing: String,
        _ writeElement: (inout JSONWriter, Element) -> Void
    ) {
        text += opening
        level += 1
        for (position, element) in elements.enumerated() {
            if position > 0 { text += "," }
            startLine()
            writeElement(&self, element)
        }
        level -= 1
        if !elements.isEmpty { startLine() }
        text += closing
    }

    private mutating func startLine() {
        guard isPretty else { return }
        text += "\n"
        text += String(repeating: "  ", count: level)
    }

    private mutating func write(_ value: Double) {
        if value.isFinite {
            text += "\(value)"
        } else {
            text += value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
        }
    }

    private mutating func write(_ value: String) {
        text += "\""
        if value.utf8.contains(where: Self.needsEscape) {
            for scalar in value.unicodeScalars { write(scalar) }
        } else {
            text += value
        }
        text += "\""
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func write(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\u{8}": text += "\\b"
        case "\u{C}": text += "\\f"
        case "\0"..<" ": text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
        default: text.unicodeScalars.append(scalar)
        }
    }
}
