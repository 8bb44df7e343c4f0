import Tokenizers

/// Which tokens end a sentence, for Semi-RTO's rewards.
///
/// A token ends one where its own text, decoded alone and trailing white space aside, ends with `.`, `!` or `?`, or where that
/// white space holds a line break. The rule looks at single tokens: in "3.14" or "Dr." a point ends a sentence too, and of "?!"
/// in two tokens the second is a sentence of its own. Special tokens end none; the last token of a response always does.
struct SentenceEnds {
    /// For each id.
    private let isEnd: [Bool]

    init(_ tokenizer: Tokenizer) {
        isEnd = (0..<tokenizer.vocabularySize).map {
            !tokenizer.isSpecial($0) && Self.isEnd(of: tokenizer.decode([$0]))
        }
    }

    /// Whether a token ends a sentence; ids that no token has do not.
    func contains(_ id: Int) -> Bool { isEnd.indices.contains(id) && isEnd[id] }

    private static func isEnd(of text: String) -> Bool {
        let scalars = text.unicodeScalars
        let words = scalars.reversed().drop { $0.properties.isWhitespace }
        let space = scalars.suffix(scalars.count - words.count)
        let isBroken = space.contains { $0 == "\n" || $0 == "\r" }
        return isBroken || words.first.map { ".!?".unicodeScalars.contains($0) } == true
    }
}
