/// Cuts text into words as GPT-2 did and spells every byte as one visible character.
struct ByteLevelPreTokenizer: PreTokenizer {
    /// Whether a piece that does not begin with a space gets one.
    let addsPrefixSpace: Bool
    /// GPT-2's words; `nil` where an earlier stage has cut the text.
    let words: TextPattern?

    init(_ setting: Setting) throws(TokenizerError) {
        addsPrefixSpace = try setting.bool("add_prefix_space", default: true)
        words = try setting.bool("use_regex", default: true) ? Self.gpt2Words(setting) : nil
    }

    func cut(_ text: inout PieceText) {
        if addsPrefixSpace {
            text.rewritePieces { bytes, piece, _ in
                if piece.first != UInt8(ascii: " ") { bytes.append(UInt8(ascii: " ")) }
                bytes.append(contentsOf: piece)
            }
        }
        if let words {
            text.cutPieces { piece, parts in words.isolate(in: piece, into: &parts) }
        }
        text.rewritePieces { bytes, piece, _ in ByteAlphabet.appendSpelling(of: piece, to: &bytes) }
    }

    private static func gpt2Words(_ setting: Setting) throws(TokenizerError) -> TextPattern {
        let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        do {
            return .regularExpression(try RegularExpression(oniguruma: pattern))
        } catch {
            throw setting.invalid("needs a regular expression that cannot be compiled here: \(error)")
        }
    }
}
