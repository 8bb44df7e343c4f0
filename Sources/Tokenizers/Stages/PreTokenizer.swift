/// The stage that cuts a normalised text into the pieces that the model encodes one by one.
protocol PreTokenizer: Sendable {
    func cut(_ text: inout PieceText)

    /// Whether it matters to it which pieces begin in the text's first character.
    var asksWhatOpensText: Bool { get }
}

extension PreTokenizer {
    var asksWhatOpensText: Bool { false }
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
    case "Digits":
        let isolates = try setting.bool("individual_digits", default: false)
        return CharacterPreTokenizer(behavior: isolates ? .isolated : .contiguous, isDelimiter: CharacterClass.isNumber)
    case "Punctuation":
        let behavior = try setting["behavior"].map { (name) throws(TokenizerError) in try DelimiterBehavior(name) }
        return CharacterPreTokenizer(behavior: behavior ?? .isolated, isDelimiter: CharacterClass.isPunctuation)
    case "Whitespace": return WordPreTokenizer()
    case "WhitespaceSplit":
        return CharacterPreTokenizer(behavior: .removed, isDelimiter: { $0.properties.isWhitespace })
    case "BertPreTokenizer":
        return BertPreTokenizer()
    case "CharDelimiterSplit":
        let delimiter = try setting.required("delimiter")
        let scalars = Array(try delimiter.string().unicodeScalars)
        guard scalars.count == 1, let first = scalars.first else { throw delimiter.invalid("must be one character") }
        return CharacterPreTokenizer(behavior: .removed) { $0 == first }
    case "UnicodeScripts":
        do {
            return ScriptPreTokenizer(table: try ScriptTable())
        } catch {
            throw setting.invalid("needs a PCRE2 that knows the scripts of Unicode 9: \(error)")
        }
    case "FixedLength":
        let length = try setting["length"]?.count() ?? 5
        guard length > 0 else { throw setting.invalid("has the length 0") }
        return FixedLengthPreTokenizer(length: length)
    case let kind:
        throw setting.unsupported(
            "of type \"\(kind)\"",
            supported:
                "Sequence, ByteLevel, Metaspace, Split, Digits, Punctuation, BertPreTokenizer, Whitespace, WhitespaceSplit,"
                + " CharDelimiterSplit, FixedLength and UnicodeScripts"
        )
    }
}

private struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    var asksWhatOpensText: Bool { preTokenizers.contains(where: \.asksWhatOpensText) }

    func cut(_ text: inout PieceText) {
        for preTokenizer in preTokenizers { preTokenizer.cut(&text) }
    }
}
