/// Cuts pieces at characters of one kind, such as digits, punctuation or white space.
struct CharacterPreTokenizer: PreTokenizer {
    let behavior: DelimiterBehavior
    let isDelimiter: @Sendable (Unicode.Scalar) -> Bool

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var stretches: [(range: Range<Int>, isMatch: Bool)] = []
            var start = 0
            for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
                let range = start..<start + UTF8.width(scalar)
                let isMatch = isDelimiter(scalar)
                if !isMatch, let last = stretches.last, !last.isMatch {
                    stretches[stretches.count - 1].range = last.range.lowerBound..<range.upperBound
                } else {
                    stretches.append((range, isMatch))
                }
                start = range.upperBound
            }
            behavior.parts(of: stretches, into: &parts)
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
            var (start, position) = (0, 0)
            var current = Kind.space
            for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
                let kind = Self.kind(scalar)
                if kind != current {
                    if current != .space { parts.append(start..<position) }
                    (start, current) = (position, kind)
                }
                position += UTF8.width(scalar)
            }
            if current != .space { parts.append(start..<position) }
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
