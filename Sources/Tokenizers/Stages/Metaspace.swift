/// How SentencePiece marks spaces: with a visible character, and with one more before the text.
struct Metaspace: Sendable {
    /// Where a mark is put although there is no space.
    enum Prepending: String {
        /// Before the text and after every added token.
        case always
        /// Before what the text's first character has become only.
        case first
        case never
    }

    /// The mark's bytes, `▁` as a rule.
    let mark: [UInt8]
    let prepending: Prepending
    /// Whether a piece begins at each mark.
    let cutsAtMarks: Bool

    /// Reads both forms that exist, with `prepend_scheme` and with the older `add_prefix_space`.
    init(_ setting: Setting) throws(TokenizerError) {
        let replacement = try setting.required("replacement")
        guard try replacement.string().unicodeScalars.count == 1 else {
            throw replacement.invalid("must be one character")
        }
        mark = Array(try replacement.string().utf8)
        cutsAtMarks = try setting.bool("split", default: true)
        let addsPrefixSpace = try setting.bool("add_prefix_space", default: true)
        guard let scheme = setting["prepend_scheme"] else {
            prepending = addsPrefixSpace ? .always : .never
            return
        }
        guard let prepending = Prepending(rawValue: try scheme.string()) else {
            throw scheme.unsupported("\"\(try scheme.string())\"", supported: "always, first and never")
        }
        guard addsPrefixSpace || prepending == .never else {
            throw scheme.invalid("contradicts the add_prefix_space beside it")
        }
        self.prepending = prepending
    }
}

/// Replaces spaces by marks and, if asked to, begins a piece at each mark.
struct MetaspacePreTokenizer: PreTokenizer {
    let metaspace: Metaspace

    var asksWhatOpensText: Bool { metaspace.prepending == .first }

    func cut(_ text: inout PieceText) {
        let mark = metaspace.mark
        text.rewritePieces { bytes, piece, opensText in
            let beginsWithMark = piece.first == UInt8(ascii: " ") || piece.starts(with: mark)
            let isPrepended =
                switch metaspace.prepending {
                case .always: true
                case .first: opensText
                case .never: false
                }
            if isPrepended, !beginsWithMark { bytes.append(contentsOf: mark) }
            for byte in piece {
                if byte == UInt8(ascii: " ") { bytes.append(contentsOf: mark) } else { bytes.append(byte) }
            }
        }
        guard metaspace.cutsAtMarks else { return }
        text.cutPieces { piece, parts in
            var start = 0
            TextPattern.string(mark).forEachMatch(in: piece) { match in
                if start < match.lowerBound { parts.append(start..<match.lowerBound) }
                start = match.lowerBound
            }
            parts.append(start..<piece.count)
        }
    }
}
