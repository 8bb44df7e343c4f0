/// The stage that cuts a normalised text into the pieces that the model encodes one by one.
protocol PreTokenizer: Sendable {
    func cut(_ text: inout PieceText)
}

/// Reads the `pre_tokenizer` of a `tokenizer.json`, which may hold a sequence of them.
func makePreTokenizer(_ setting: Setting) throws(TokenizerError) -> any PreTokenizer {
    switch try setting.kind() {
    case "Sequence":
        var preTokenizers: [any PreTokenizer] = []
        for element in try setting.required("pretokenizers").elements() {
            preTokenizers.append(try makePreTokenizer(element))
        }
        return PreTokenizerSequence(preTokenizers: preTokenizers)
    case "ByteLevel": return try ByteLevelPreTokenizer(setting)
    case "Metaspace": return MetaspacePreTokenizer(metaspace: try Metaspace(setting))
    case "Split": return try SplitPreTokenizer(setting)
    case "Digits": return DigitsPreTokenizer(isolatesDigits: try setting.bool("individual_digits", default: false))
    case let kind:
        throw setting.unsupported("of type \"\(kind)\"", supported: "Sequence, ByteLevel, Metaspace, Split and Digits")
    }
}

private struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    func cut(_ text: inout PieceText) {
        for preTokenizer in preTokenizers { preTokenizer.cut(&text) }
    }
}
