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
