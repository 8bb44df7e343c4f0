/// Turns characters of GPT-2's alphabet back into the bytes they stand for, and those into text.
struct ByteLevelDecoder: DecoderStage {
    private var assembler = TokenAssembler()
    /// The beginning of a character whose rest has not come yet.
    private var pending: [UInt8] = []

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        guard let token = assembler.token(completedBy: fragment) else { return }
        // A token with other characters, such as an added one, stands for itself.
        if !ByteAlphabet.appendBytes(spelledBy: token, to: &pending) { pending += token }
        let incomplete = UTF8Text.lengthOfIncompleteEnd(pending)
        guard incomplete < pending.count else { return }
        appendRepaired(pending.dropLast(incomplete), endsToken: false, to: &output)
        pending.removeFirst(pending.count - incomplete)
    }

    mutating func finish(to output: inout FragmentList) {
        appendRepaired(pending[...], endsToken: true, to: &output)
        pending = []
    }

    /// Replaces what is not UTF-8 by U+FFFD.
    private func appendRepaired(_ bytes: ArraySlice<UInt8>, endsToken: Bool, to output: inout FragmentList) {
        if bytes.allSatisfy({ $0 < 0x80 }) {
            output.append(bytes, endsToken: endsToken)
        } else {
            output.append(String(decoding: bytes, as: UTF8.self).utf8, endsToken: endsToken)
        }
    }
}

/// Turns runs of the tokens `<0x00>` to `<0xFF>` into the text that their bytes spell.
///
/// A run that is not UTF-8 becomes one U+FFFD a byte, its valid parts included, so that nothing of a run is certain
/// before it ends.
struct ByteFallbackDecoder: DecoderStage {
    private var assembler = TokenAssembler()
    private var run: [UInt8] = []

    mutating func push(_ fragment: Fragment, to output: inout FragmentList) {
        guard let token = assembler.token(completedBy: fragment) else { return }
        if let byte = Self.byte(token) {
            run.append(byte)
        } else {
            finish(to: &output)
            output.append(token, endsToken: true)
        }
    }

    mutating func finish(to output: inout FragmentList) {
        guard !run.isEmpty else { return }
        if String(validating: run, as: UTF8.self) != nil {
            output.append(run, endsToken: true)
        } else {
            for _ in run { output.append("\u{FFFD}".utf8, endsToken: true) }
        }
        run = []
    }

    /// The byte that a token of this form stands for.
    static func byte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        guard let high = hexadecimalDigit(token[3]), let low = hexadecimalDigit(token[4]) else { return nil }
        return high << 4 | low
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
