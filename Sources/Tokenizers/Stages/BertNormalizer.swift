/// BERT's normalizer: cleaning, spaces around Chinese characters, accents removed, lower case, as asked for.
struct BertNormalizer: Normalizer {
    private let cleans: Bool
    private let lowers: Bool
    /// What is done to characters outside ASCII, one after the other.
    private let stages: NormalizerSequence

    /// Reads the setting.
    init(_ setting: Setting) throws(TokenizerError) {
        cleans = try setting.bool("clean_text", default: true)
        lowers = try setting.bool("lowercase", default: true)
        var stages: [any Normalizer] = []
        if cleans {
            stages.append(
                CharacterNormalizer { scalar, result in
                    if scalar.value == 0 || CharacterClass.isBertControl(scalar) { return }
                    result.append(scalar.properties.isWhitespace ? " " : scalar)
                }
            )
        }
        if try setting.bool("handle_chinese_chars", default: true) {
            stages.append(
                CharacterNormalizer { scalar, result in
                    result += CharacterClass.isChinese(scalar) ? [" ", scalar, " "] : [scalar]
                }
            )
        }
        if try setting.bool("strip_accents", default: lowers) {
            stages.append(UnicodeNormalizer(form: .decomposed))
            stages.append(CharacterNormalizer { if !CharacterClass.isBertAccent($0) { $1.append($0) } })
        }
        if lowers { stages.append(CharacterNormalizer { $1 += $0.properties.lowercaseMapping.unicodeScalars }) }
        self.stages = NormalizerSequence(normalizers: stages)
    }

    /// Rewrites ASCII byte by byte, and what stands between by the stages.
    ///
    /// That gives what the stages give of the whole text: they rewrite characters one by one, but for the order of the marks behind
    /// a letter, which no character of ASCII takes part in, unless it is one that is taken out from between them.
    func normalize(_ text: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 8)
        var position = 0
        while position < text.count {
            let byte = text[position]
            if byte < 0x80 {
                appendASCII(byte, to: &result)
                position += 1
                continue
            }
            let end = text[position...].firstIndex { $0 < 0x80 && !isTakenOut($0) } ?? text.count
            var run = Array(text[position..<end])
            stages.normalize(&run)
            result += run
            position = end
        }
        text = result
    }

    private func appendASCII(_ byte: UInt8, to result: inout [UInt8]) {
        if isTakenOut(byte) { return }
        if cleans && byte < 0x20 {
            result.append(0x20)
        } else {
            result.append(lowers && (0x41...0x5A).contains(byte) ? byte + 0x20 : byte)
        }
    }

    /// Whether cleaning removes a character of ASCII: a control character that is no white space.
    private func isTakenOut(_ byte: UInt8) -> Bool {
        cleans && (byte < 0x20 || byte == 0x7F) && byte != 0x09 && byte != 0x0A && byte != 0x0D
    }
}
