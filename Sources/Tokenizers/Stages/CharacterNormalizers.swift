/// Rewrites a text character by character.
struct CharacterNormalizer: Normalizer {
    /// Appends what becomes of a character.
    let rewrite: @Sendable (Unicode.Scalar, inout String.UnicodeScalarView) -> Void

    func normalize(_ text: inout [UInt8]) {
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { rewrite(scalar, &result) }
        text = Array(String(result).utf8)
    }
}

/// Removes white space at a text's ends.
struct StripNormalizer: Normalizer {
    let stripsLeft: Bool
    let stripsRight: Bool

    func normalize(_ text: inout [UInt8]) {
        text.withUnsafeBufferPointer { bytes in
            let start = stripsLeft ? WordBoundary.endOfSpace(after: 0, in: bytes) : 0
            let end = stripsRight ? WordBoundary.startOfSpace(before: bytes.count, in: bytes) : bytes.count
            return start..<max(start, end)
        }.apply(to: &text)
    }

    func normalize(_ text: inout [UInt8], openingLength: inout Int) {
        let start = stripsLeft ? text.withUnsafeBufferPointer { WordBoundary.endOfSpace(after: 0, in: $0) } : 0
        normalize(&text)
        openingLength = min(text.count, max(0, openingLength - start))
    }
}

extension Range<Int> {
    /// Keeps these bytes of a text only.
    fileprivate func apply(to text: inout [UInt8]) { text = Array(text[self]) }
}

/// Spells every byte as one visible character.
struct ByteLevelNormalizer: Normalizer {
    func normalize(_ text: inout [UInt8]) {
        var spelled: [UInt8] = []
        text.withUnsafeBufferPointer { ByteAlphabet.appendSpelling(of: $0, to: &spelled) }
        text = spelled
    }
}

/// The cleaning of text that SentencePiece's rules for machine translation begin with.
enum NMTCleaning {
    static func rewrite(_ scalar: Unicode.Scalar, _ result: inout String.UnicodeScalarView) {
        switch scalar.value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            result.append(" ")
        default: result.append(scalar)
        }
    }
}
