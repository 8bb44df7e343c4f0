/// BERT's model: each word is cut into the longest tokens from its start on.
struct WordPiece: TokenModel {
    let vocabulary: Vocabulary
    private let unknown: Int
    private let continuationPrefix: [UInt8]
    private let longestWord: Int

    init(_ setting: Setting) throws(TokenizerError) {
        vocabulary = try BytePairEncoding.vocabulary(setting.required("vocab"))
        unknown = try WordLevel.unknown(setting, vocabulary, default: "[UNK]")
        continuationPrefix = Array((try setting["continuing_subword_prefix"]?.string() ?? "##").utf8)
        longestWord = try setting["max_input_chars_per_word"]?.count() ?? 100
    }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            for piece in text.pieces { encode(UnsafeBufferPointer(rebasing: bytes[piece]), into: &ids) }
        }
    }

    private func encode(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int]) {
        let first = ids.count
        let characterCount = word.count { $0 & 0xC0 != 0x80 }
        var start = 0
        while start < word.count, characterCount <= longestWord {
            guard let (id, end) = longestToken(of: word, from: start) else { break }
            ids.append(id)
            start = end
        }
        guard start < word.count else { return }
        // One part that no token spells makes the whole word unknown.
        ids.removeSubrange(first...)
        ids.append(unknown)
    }

    private func longestToken(of word: UnsafeBufferPointer<UInt8>, from start: Int) -> (id: Int, end: Int)? {
        var end = word.count
        while end > start {
            let part = (start > 0 ? continuationPrefix : []) + word[start..<end]
            if let id = vocabulary.id(of: part) { return (id, end) }
            repeat { end -= 1 } while end > start && word[end] & 0xC0 == 0x80
        }
        return nil
    }
}

/// The model whose tokens are whole words.
struct WordLevel: TokenModel {
    let vocabulary: Vocabulary
    private let unknown: Int

    init(_ setting: Setting) throws(TokenizerError) {
        vocabulary = try BytePairEncoding.vocabulary(setting.required("vocab"))
        unknown = try Self.unknown(setting, vocabulary, default: "<unk>")
    }

    func encode(_ text: PieceText, into ids: inout [Int]) {
        text.bytes.withUnsafeBufferPointer { bytes in
            for piece in text.pieces {
                ids.append(vocabulary.id(of: UnsafeBufferPointer(rebasing: bytes[piece])) ?? unknown)
            }
        }
    }

    /// The token for words that the vocabulary lacks, without which most texts would have no ids.
    static func unknown(
        _ setting: Setting,
        _ vocabulary: Vocabulary,
        default defaultToken: String
    ) throws(TokenizerError) -> Int {
        let token = try setting["unk_token"]?.string() ?? defaultToken
        guard let id = vocabulary.id(of: token) else {
            throw setting.invalid("names the unknown token \"\(token)\", which is not in the vocabulary")
        }
        return id
    }
}
