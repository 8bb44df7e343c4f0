/// GPT-2's alphabet, in which each byte is one visible character: printable Latin-1 stands for itself, the other bytes
/// for U+0100 and on.
enum ByteAlphabet {
    /// The encoding of each byte's character: one byte, or two with the second one shifted by 8.
    private static let spellings: [UInt16] = {
        var spellings: [UInt16] = []
        var nextSubstitute: UInt16 = 0x100
        for byte in UInt16(0)...255 {
            var scalar = byte
            if !isVisible(byte) {
                scalar = nextSubstitute
                nextSubstitute += 1
            }
            spellings.append(scalar < 0x80 ? scalar : (0xC0 | scalar >> 6) | (0x80 | scalar & 0x3F) << 8)
        }
        return spellings
    }()

    /// The byte of each character below U+0144, -1 where there is none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, spelling) in spellings.enumerated() {
            let scalar = spelling < 0x80 ? spelling : (spelling & 0x1F) << 6 | (spelling >> 8) & 0x3F
            bytes[Int(scalar)] = Int16(byte)
        }
        return bytes
    }()

    private static func isVisible(_ byte: UInt16) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
    }

    /// Appends the characters that stand for the bytes of a text.
    static func appendSpelling(of text: UnsafeBufferPointer<UInt8>, to spelled: inout [UInt8]) {
        let spellings = spellings
        for byte in text {
            let spelling = spellings[Int(byte)]
            spelled.append(UInt8(truncatingIfNeeded: spelling))
            if spelling >= 0x80 { spelled.append(UInt8(truncatingIfNeeded: spelling >> 8)) }
        }
    }

    /// Appends the bytes that a token spells, or says that it holds a character that is not in the alphabet.
    static func appendBytes(spelledBy token: [UInt8], to text: inout [UInt8]) -> Bool {
        let bytes = bytes
        let start = text.count
        var position = 0
        token.withUnsafeBufferPointer { token in
            while position < token.count {
                let scalar = Int(UTF8Text.scalar(at: position, in: token))
                guard scalar < bytes.count, bytes[scalar] >= 0 else { return }
                text.append(UInt8(bytes[scalar]))
                position += scalar < 0x80 ? 1 : 2
            }
        }
        if position < token.count { text.removeLast(text.count - start) }
        return position == token.count
    }
}
