/// What surrounds an added token: word characters and white space, by Unicode's definitions.
enum WordBoundary {
    /// Whether no word character touches the range.
    static func surrounds(_ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        let before = scalar(endingAt: range.lowerBound, in: text)
        let after = scalar(startingAt: range.upperBound, in: text)
        return before?.isWordCharacter != true && after?.isWordCharacter != true
    }

    static func startOfSpace(before end: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var start = end
        while let scalar = scalar(endingAt: start, in: text), scalar.properties.isWhitespace {
            start -= UTF8.width(scalar)
        }
        return start
    }

    static func endOfSpace(after start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var end = start
        while let scalar = scalar(startingAt: end, in: text), scalar.properties.isWhitespace {
            end += UTF8.width(scalar)
        }
        return end
    }

    private static func scalar(startingAt start: Int, in text: UnsafeBufferPointer<UInt8>) -> Unicode.Scalar? {
        guard start < text.count else { return nil }
        let end = start + UTF8Text.lengthOfCharacter(startingWith: text[start])
        return String(decoding: text[start..<end], as: UTF8.self).unicodeScalars.first
    }

    private static func scalar(endingAt end: Int, in text: UnsafeBufferPointer<UInt8>) -> Unicode.Scalar? {
        guard end > 0 else { return nil }
        var start = end - 1
        while text[start] & 0xC0 == 0x80 { start -= 1 }
        return scalar(startingAt: start, in: text)
    }
}

extension Unicode.Scalar {
    /// Whether this is part of words by Unicode's Technical Standard 18: letters, marks, digits, connectors, joiners.
    var isWordCharacter: Bool {
        guard ReferenceUnicode.isAssigned(self) else { return false }
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
