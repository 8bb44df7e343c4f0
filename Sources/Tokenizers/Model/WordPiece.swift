/// BERT's model: each word is cut into the longest tokens from its start on.
struct WordPiece: TokenModel {
    let vocabulary: Vocabulary
    private let unknown: Int
    private let continuationPrefix: [UInt8]
    private let longestWord: Int
    /// The bytes of the longest token, beyond which nothing needs to be looked up.
    private let longestToken: Int
    private let spaces = EncodingSpaces()

    init(_ setting: Setting) throws(TokenizerError) {
        vocabulary = try BytePairEncoding.vocabulary(setting.required("vocab"))
        unknown = try WordLevel.unknown(setting, vocabulary, default: "[UNK]")
        continuationPrefix = Array((try setting["continuing_subword_prefix"]?.string() ?? "##").utf8)
        longestWord = try setting["max_input_chars_per_word"]?.count() ?? 100
        longestToken = vocabulary.ids.reduce(0) { [vocabulary] in max($0, vocabulary.token($1)?.count ?? 0) }
    }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        spaces.borrow { space in
            text.bytes.withUnsafeBufferPointer { bytes in
                for piece in text.pieces {
                    let word = UnsafeBufferPointer(rebasing: bytes[piece])
                    let key = PieceCache.key(word)
                    if let key, space.cache.append(key, to: &ids) { continue }
                    let start = ids.count
                    encode(word, into: &ids)
                    if let key { space.cache.insert(key, ids[start...]) }
                }
            }
        }
    }

    private func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
        let first = ids.count
        let characterCount = word.count { $0 & 0xC0 != 0x80 }
        var start = 0
        // What the rest of the word is looked up as.
        var spelling = continuationPrefix
        while start < word.count, characterCount <= longestWord {
            guard let (id, end) = longestToken(of: word, from: start, &spelling) else { break }
            ids.append(id)
            start = end
        }
        guard start < word.count else { return }
        // One part that no token spells makes the whole word unknown.
        ids.removeSubrange(first...)
        ids.append(unknown)
    }

    private func longestToken(
        of word: UnsafeBufferPointer<UInt8>,
        from start: Int,
        _ spelling: inout [UInt8]
    ) -> (id: Int, end: Int)? {
        let prefix = start > 0 ? continuationPrefix.count : 0
        var end = min(word.count, start + max(0, longestToken - prefix))
        while end < word.count, end > start, word[end] & 0xC0 == 0x80 { end -= 1 }
        spelling.removeSubrange(prefix...)
        spelling.append(contentsOf: word[start..<end])
        defer { spelling = continuationPrefix }
        return spelling.withUnsafeBufferPointer { spelling in
            while end > start {
                let part = UnsafeBufferPointer(rebasing: spelling[..<(prefix + end - start)])
                if let id = vocabulary.id(of: part) { return (id, end) }
                repeat { end -= 1 } while end > start && word[end] & 0xC0 == 0x80
            }
            return nil
        }
    }
}
