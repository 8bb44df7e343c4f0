/// The stage that turns the pieces of a text into token ids, and the vocabulary it does so with.
protocol TokenModel: Sendable {
    var vocabulary: Vocabulary { get }

    /// Appends the ids of all pieces.
    func encode(_ text: PieceText, into ids: inout [Int])
}

/// Reads the `model` of a `tokenizer.json`.
func makeTokenModel(_ setting: Setting) throws(TokenizerError) -> any TokenModel {
    // Files from before the key `type` existed can be told by their merges.
    let kind = try setting["type"]?.string() ?? (setting["merges"] == nil ? nil : "BPE")
    switch kind {
    case "BPE":
        let model = try BytePairEncoding(setting)
        let kept = try KeptTokens(setting["kept_tokens"], model.vocabulary)
        return kept.map { KeepingModel(base: model, kept: $0) } ?? model
    case "Unigram": return try Unigram(setting)
    case "WordPiece": return try WordPiece(setting)
    case "WordLevel": return try WordLevel(setting)
    case let kind?:
        throw setting.unsupported("of type \"\(kind)\"", supported: "BPE, Unigram, WordPiece and WordLevel")
    case nil: throw setting.invalid("has no type")
    }
}
