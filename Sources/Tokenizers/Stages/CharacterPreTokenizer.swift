/// Cuts pieces at characters of one kind, such as digits, punctuation or white space.
struct CharacterPreTokenizer: PreTokenizer {
    let behavior: DelimiterBehavior
    let isDelimiter: @Sendable (Unicode.Scalar) -> Bool

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var stretches: [(range: Range<Int>, isMatch: Bool)] = []
            UTF8Text.forEachScalar(in: piece) { scalar, range in
                let isMatch = isDelimiter(scalar)
                if !isMatch, let last = stretches.last, !last.isMatch {
                    stretches[stretches.count - 1].range = last.range.lowerBound..<range.upperBound
                } else {
                    stretches.append((range, isMatch))
                }
            }
            behavior.parts(of: stretches, into: &parts)
        }
    }
}

/// BERT's words: what stands between white space, with every punctuation mark apart.
struct BertPreTokenizer: PreTokenizer {
    private enum Kind { case space, mark, other }

    /// The kinds of ASCII's characters, which most text is made of.
    private let asciiKinds = (0..<0x80).map { Self.kind(Unicode.Scalar(UInt8($0))) }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        scalar.properties.isWhitespace ? .space : CharacterClass.isPunctuation(scalar) ? .mark : .other
    }

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var start: Int?
            UTF8Text.forEachScalar(in: piece) { scalar, range in
                let kind = scalar.value < 0x80 ? asciiKinds[Int(scalar.value)] : Self.kind(scalar)
                if kind == .other {
                    if start == nil { start = range.lowerBound }
                    return
                }
                if let first = start { parts.append(first..<range.lowerBound) }
                start = nil
                if kind == .mark { parts.append(range) }
            }
            if let start { parts.append(start..<piece.count) }
        }
    }
}

/// Keeps words and runs of other visible characters, and drops the white space between them.
struct WordPreTokenizer: PreTokenizer {
    private enum Kind { case space, word, other }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        scalar.isWordCharacter ? .word : scalar.properties.isWhitespace ? .space : .other
    }

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var start = 0
            var current = Kind.space
            UTF8Text.forEachScalar(in: piece) { scalar, range in
                let kind = Self.kind(scalar)
                guard kind != current else { return }
                if current != .space { parts.append(start..<range.lowerBound) }
                (start, current) = (range.lowerBound, kind)
            }
            if current != .space { parts.append(start..<piece.count) }
        }
    }
}

/// Cuts pieces into runs of as many characters.
struct FixedLengthPreTokenizer: PreTokenizer {
    let length: Int

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var (start, position, count) = (0, 0, 0)
            while position < piece.count {
                position += UTF8Text.lengthOfCharacter(startingWith: piece[position])
                count += 1
                if count == length || position == piece.count {
                    parts.append(start..<position)
                    (start, count) = (position, 0)
                }
            }
        }
    }
}
