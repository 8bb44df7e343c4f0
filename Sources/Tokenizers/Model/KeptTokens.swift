/// Texts that are never cut nor joined with their neighbours, as SentencePiece keeps the pieces that a user has defined.
struct KeptTokens: Sendable {
    private var trie = ByteTrie()

    /// - Parameter texts: the texts, each with its id
    init(_ texts: [(text: String, id: Int)]) {
        for (text, id) in texts { trie.insert(Array(text.utf8)[...], id) }
    }

    /// Reads a list of tokens; nil where there is none.
    ///
    /// - Throws: where one is not in the vocabulary that is given.
    init?(_ setting: Setting?, _ vocabulary: Vocabulary? = nil) throws(TokenizerError) {
        guard let setting else { return nil }
        var texts: [(text: String, id: Int)] = []
        for element in try setting.elements() {
            let text = try element.string()
            guard let id = vocabulary.map({ $0.id(of: text) }) ?? 0 else {
                throw element.invalid("is \"\(text)\", which is not in the vocabulary")
            }
            texts.append((text, id))
        }
        self.init(texts)
    }

    /// The longest of them that stands at a place: where it ends, and its id.
    func longest(at start: Int, in text: UnsafeBufferPointer<UInt8>) -> (end: Int, id: Int)? {
        var found: (end: Int, id: Int)?
        trie.forEachPrefix(of: text, from: start) { found = ($0, $1) }
        return found
    }
}

/// A model that leaves some tokens of a text to themselves, and what stands between to another model.
struct KeepingModel: TokenModel {
    let base: any TokenModel
    let kept: KeptTokens

    var vocabulary: Vocabulary { base.vocabulary }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            var rest = text
            for piece in text.pieces {
                var (start, position) = (piece.lowerBound, piece.lowerBound)
                func encodeRest(to end: Int) {
                    guard start < end else { return }
                    rest.pieces = [start..<end]
                    base.encode(rest, into: &ids)
                }
                while position < piece.upperBound {
                    if let (end, id) = kept.longest(at: position, in: bytes), end <= piece.upperBound {
                        encodeRest(to: position)
                        ids.append(id)
                        (start, position) = (end, end)
                    } else {
                        position += UTF8Text.lengthOfCharacter(startingWith: bytes[position])
                    }
                }
                encodeRest(to: piece.upperBound)
            }
        }
    }
}
