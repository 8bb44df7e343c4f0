/// Questions about valid UTF-8 that the stages ask byte by byte.
enum UTF8Text {
    /// How many bytes the character has whose first byte this is.
    static func lengthOfCharacter(startingWith byte: UInt8) -> Int {
        byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    }

    /// The number of the character that begins at a position.
    static func scalar(at position: Int, in text: UnsafeBufferPointer<UInt8>) -> UInt32 {
        func bits(_ offset: Int) -> UInt32 { UInt32(text[position + offset] & 0x3F) }
        let first = UInt32(text[position])
        switch lengthOfCharacter(startingWith: text[position]) {
        case 1: return first
        case 2: return (first & 0x1F) << 6 | bits(1)
        case 3: return (first & 0x0F) << 12 | bits(1) << 6 | bits(2)
        default: return (first & 0x07) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3)
        }
    }

    /// Calls `body` with each character of valid UTF-8 and where it stands.
    @inline(__always)
    static func forEachScalar(
        in text: UnsafeBufferPointer<UInt8>,
        _ body: (Unicode.Scalar, Range<Int>) -> Void
    ) {
        var position = 0
        while position < text.count {
            let end = position + lengthOfCharacter(startingWith: text[position])
            body(Unicode.Scalar(scalar(at: position, in: text)) ?? "\u{FFFD}", position..<end)
            position = end
        }
    }

    /// The number of the only character of a text below U+10000, or `nil` for every other text.
    static func basicPlaneScalar(of text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let first = text.first, first < 0xF0, text.count == lengthOfCharacter(startingWith: first) else {
            return nil
        }
        return Int(scalar(at: 0, in: text))
    }

    /// How many bytes at the end are the beginning of a character whose rest may still come.
    static func lengthOfIncompleteEnd(_ text: [UInt8]) -> Int {
        for length in 1...3 where length <= text.count {
            let byte = text[text.count - length]
            guard byte & 0xC0 == 0x80 else {
                return isPrefix(text.suffix(length)) ? length : 0
            }
        }
        return 0
    }

    /// Whether a lead byte and what follows it can still become a character, by the Unicode standard's table 3-7.
    private static func isPrefix(_ text: ArraySlice<UInt8>) -> Bool {
        guard let lead = text.first, (0xC2...0xF4).contains(lead), text.count < lengthOfCharacter(startingWith: lead)
        else { return false }
        guard let second = text.dropFirst().first else { return true }
        switch lead {
        case 0xE0: return second >= 0xA0
        case 0xED: return second < 0xA0
        case 0xF0: return second >= 0x90
        case 0xF4: return second < 0x90
        default: return true
        }
    }
}
