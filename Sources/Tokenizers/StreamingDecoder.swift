/// Decodes tokens as they come, so that text can be shown while a model still writes it.
///
/// What `append` and `finish` return, put together, is what decoding all tokens at once returns; no character is ever
/// cut.
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    private var chain: DecoderChain

    init(tokenizer: Tokenizer, skipsSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecialTokens = skipsSpecialTokens
        chain = DecoderChain(tokenizer.decoderStages)
    }

    /// Takes the next token and returns the text that no later token can change any more, which may be empty.
    ///
    /// An id that no token has adds nothing.
    public mutating func append(_ id: Int) -> String {
        var text: [UInt8] = []
        append(id, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns what was held back: nothing as a rule, U+FFFD where the last character is incomplete.
    public mutating func finish() -> String {
        var text: [UInt8] = []
        finish(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    mutating func append(_ id: Int, to text: inout [UInt8]) {
        if skipsSpecialTokens, tokenizer.isSpecial(id) { return }
        guard let token = tokenizer.bytes(of: id) else { return }
        chain.push(token, to: &text)
    }

    mutating func finish(to text: inout [UInt8]) {
        chain.finish(to: &text)
    }
}
