/// Puts BERT's tokens together: those with the prefix join the one before, the others get a space in front.
struct WordPieceDecoder: DecoderStage {
    let prefix: String
    /// Whether spaces in front of punctuation and contractions are removed.
    let cleans: Bool
    private var assembler = TokenAssembler()
    private var isFirst = true

    init(prefix: String, cleans: Bool) {
        self.prefix = prefix
        self.cleans = cleans
    }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        guard let token = assembler.token(completedBy: fragment) else { return }
        var text = String(decoding: token, as: UTF8.self)
        if !isFirst {
            let isContinuation = !prefix.isEmpty && text.utf8.starts(with: prefix.utf8)
            text = isContinuation ? String(Substring(text.utf8.dropFirst(prefix.utf8.count))) : " " + text
        }
        isFirst = false
        output.append((cleans ? Self.cleaned(text) : text).utf8, endsToken: true)
    }

    static func cleaned(_ text: String) -> String {
        var text = text
        for (old, new) in [
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
            (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ] { text = text.replacingScalars(old, with: new) }
        return text
    }
}

/// Turns the suffix that ends a word into a space, but for the last word.
struct SuffixDecoder: DecoderStage {
    private let suffix: String
    private var assembler = TokenAssembler()
    /// The token that came last, since what becomes of its suffix is known with the next one.
    private var pending: String?

    init(suffix: String) { self.suffix = suffix }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        guard let token = assembler.token(completedBy: fragment) else { return }
        flush(with: " ", to: &output)
        pending = String(decoding: token, as: UTF8.self)
    }

    mutating func finish(to output: inout FragmentList) { flush(with: "", to: &output) }

    private mutating func flush(with replacement: String, to output: inout FragmentList) {
        guard let text = pending else { return }
        output.append(text.replacingScalars(suffix, with: replacement).utf8, endsToken: true)
        pending = nil
    }
}

/// Puts together what a model of speech wrote: repetitions count once, and padding not at all.
struct CTCDecoder: DecoderStage {
    private let padding: String
    private let delimiter: String
    private let cleans: Bool
    private var assembler = TokenAssembler()
    private var last: [UInt8]?

    init(_ setting: Setting) throws(TokenizerError) {
        padding = try setting["pad_token"]?.string() ?? "<pad>"
        delimiter = try setting["word_delimiter_token"]?.string() ?? "|"
        cleans = try setting.bool("cleanup", default: true)
    }

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        guard let token = assembler.token(completedBy: fragment), token != last else { return }
        last = token
        var text = String(decoding: token, as: UTF8.self).replacingScalars(padding, with: "")
        if cleans { text = WordPieceDecoder.cleaned(text).replacingScalars(delimiter, with: " ") }
        if !text.isEmpty { output.append(text.utf8, endsToken: true) }
    }
}

extension String {
    /// The text with one replaced by another, compared by bytes.
    fileprivate func replacingScalars(_ old: String, with new: String) -> String {
        guard !old.isEmpty else { return self }
        var text = self
        return text.withUTF8 { bytes in
            String(
                decoding: TextPattern.string(Array(old.utf8)).replacing(in: bytes, with: Array(new.utf8)),
                as: UTF8.self
            )
        }
    }
}
