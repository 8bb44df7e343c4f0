extension JSONParser {
    /// Parses the string whose opening quote is at the current position.
    mutating func string() throws(JSONError) -> String {
        let start = position + 1
        position = start
        try skipPlainBytes()
        if current == UInt8(ascii: "\"") {
            position += 1
            return text(UnsafeBufferPointer(rebasing: bytes[start..<position - 1]))
        }
        var unescaped = Array(bytes[start..<position])
        while current == UInt8(ascii: "\\") {
            position += 1
            try appendEscape(to: &unescaped)
            let plain = position
            try skipPlainBytes()
            unescaped.append(contentsOf: bytes[plain..<position])
        }
        position += 1
        return unescaped.withUnsafeBufferPointer(text)
    }

    /// Makes a string of bytes that `document()` has validated.
    private func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Moves to the next quote or backslash.
    private mutating func skipPlainBytes() throws(JSONError) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            guard byte >= 0x20 else { throw fault("a control character in a string must be written as an escape") }
            position += 1
        }
        throw fault("a string is not closed")
    }

    private mutating func appendEscape(to bytes: inout [UInt8]) throws(JSONError) {
        let escape = current
        position += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes.append(contentsOf: Character(try escapedScalar()).utf8)
        default: throw fault("this escape does not exist in JSON", at: position - 1)
        }
    }

    /// Reads the digits of `\uXXXX` and, after a high surrogate, those of the low surrogate that completes it.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let unit = try fourHexadecimalDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
            return Self.replacement
        }
        let afterFirst = position
        position += 2
        let second = try fourHexadecimalDigits()
        guard (0xDC00..<0xE000).contains(second) else {
            position = afterFirst
            return Self.replacement
        }
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00)) ?? Self.replacement
    }

    private static let replacement: Unicode.Scalar = "\u{FFFD}"

    private mutating func fourHexadecimalDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw fault("expected four hexadecimal digits after \\u")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
