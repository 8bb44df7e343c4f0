/// The stage that rewrites the text between added tokens before anything is cut.
protocol Normalizer: Sendable {
    /// Rewrites valid UTF-8.
    func normalize(_ text: inout [UInt8])

    /// The same, which also says what becomes of the text's first character.
    ///
    /// - Parameter openingLength: How many bytes in front that character is, before and after; 0 where it is gone.
    func normalize(_ text: inout [UInt8], openingLength: inout Int)
}

extension Normalizer {
    func normalize(_ text: inout [UInt8], openingLength: inout Int) {
        normalize(&text, following: &openingLength)
    }

    /// Follows the first character by what becomes of it on its own, for stages that rewrite character by character.
    func normalize(_ text: inout [UInt8], following openingLength: inout Int) {
        var opening = Array(text.prefix(openingLength))
        let isOpened = !opening.isEmpty
        normalize(&text)
        normalize(&opening)
        guard isOpened, !text.starts(with: opening) else { return openingLength = isOpened ? opening.count : 0 }
        // It has joined what follows it, such as a letter its accent.
        openingLength = text.first.map(UTF8Text.lengthOfCharacter(startingWith:)) ?? 0
    }
}

/// Reads the `normalizer` of a `tokenizer.json`, which may hold a sequence of them.
func makeNormalizer(_ setting: Setting) throws(TokenizerError) -> any Normalizer {
    switch try setting.kind() {
    case "Sequence":
        var normalizers: [any Normalizer] = []
        for element in try setting.required("normalizers").elements() {
            normalizers.append(try makeNormalizer(element))
        }
        return NormalizerSequence(normalizers: normalizers)
    case "Prepend":
        return PrependNormalizer(
            prefix: Array(try setting.required("prepend").string().utf8),
            coversEmpty: try setting.bool("covers_empty", default: false)
        )
    case "Replace":
        return ReplaceNormalizer(
            pattern: try TextPattern(setting.required("pattern")),
            replacement: Array(try setting.required("content").string().utf8)
        )
    case "NFC": return UnicodeNormalizer(form: .composed)
    case "NFD": return UnicodeNormalizer(form: .decomposed)
    case "NFKC": return UnicodeNormalizer(form: .compatiblyComposed)
    case "NFKD": return UnicodeNormalizer(form: .compatiblyDecomposed)
    case "Lowercase": return CharacterNormalizer { $1 += $0.properties.lowercaseMapping.unicodeScalars }
    case "StripAccents": return CharacterNormalizer { if !CharacterClass.isMark($0) { $1.append($0) } }
    case "Nmt": return CharacterNormalizer(rewrite: NMTCleaning.rewrite)
    case "Strip":
        return StripNormalizer(
            stripsLeft: try setting.bool("strip_left", default: true),
            stripsRight: try setting.bool("strip_right", default: true)
        )
    case "ByteLevel": return ByteLevelNormalizer()
    case "BertNormalizer": return try BertNormalizer(setting)
    case "Precompiled":
        let map = try setting.required("precompiled_charsmap")
        return try PrecompiledNormalizer(
            base64: map.string(),
            matchesLongest: setting.bool("follows_sentencepiece", default: false),
            kept: KeptTokens(setting["kept_tokens"]),
            at: map
        )
    case let kind:
        throw setting.unsupported(
            "of type \"\(kind)\"",
            supported:
                "Sequence, Prepend, Replace, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, BertNormalizer,"
                + " ByteLevel, Nmt and Precompiled"
        )
    }
}

struct NormalizerSequence: Normalizer {
    let normalizers: [any Normalizer]

    func normalize(_ text: inout [UInt8]) {
        for normalizer in normalizers { normalizer.normalize(&text) }
    }

    func normalize(_ text: inout [UInt8], openingLength: inout Int) {
        for normalizer in normalizers { normalizer.normalize(&text, openingLength: &openingLength) }
    }
}

/// Puts a prefix before every text that is not empty.
private struct PrependNormalizer: Normalizer {
    let prefix: [UInt8]
    /// Whether also before a text of which the stages before have left nothing, as SentencePiece does.
    let coversEmpty: Bool

    func normalize(_ text: inout [UInt8]) {
        guard !text.isEmpty || coversEmpty else { return }
        text.insert(contentsOf: prefix, at: 0)
    }
}

private struct ReplaceNormalizer: Normalizer {
    let pattern: TextPattern
    let replacement: [UInt8]

    func normalize(_ text: inout [UInt8]) {
        text = text.withUnsafeBufferPointer { pattern.replacing(in: $0, with: replacement) }
    }

    func normalize(_ text: inout [UInt8], openingLength: inout Int) {
        var (length, end) = (0, 0)
        text.withUnsafeBufferPointer { bytes in
            pattern.forEachMatch(in: bytes) { match in
                guard match.lowerBound < openingLength else { return }
                length += match.lowerBound - end
                // What replaces several characters stands where the last of them stood.
                if match.upperBound <= openingLength { length += replacement.count }
                end = match.upperBound
            }
        }
        normalize(&text)
        openingLength = length + max(0, openingLength - end)
    }
}

struct UnicodeNormalizer: Normalizer {
    enum Form { case composed, decomposed, compatiblyComposed, compatiblyDecomposed }

    let form: Form

    func normalize(_ text: inout [UInt8]) {
        // ASCII is its own normal form; below U+0300, whose encoding begins with 0xCC, so is all composed text.
        let firstAffected: UInt8 = form == .composed ? 0xCC : 0x80
        guard text.contains(where: { $0 >= firstAffected }) else { return }
        let string = String(decoding: text, as: UTF8.self)
        let scalars =
            switch form {
            case .composed: CanonicalForm.shared.composed(string)
            case .decomposed: CanonicalForm.shared.decomposed(string)
            case .compatiblyComposed: CanonicalForm.shared.compatiblyComposed(string)
            case .compatiblyDecomposed: CanonicalForm.shared.compatiblyDecomposed(string)
            }
        text = Array(String(String.UnicodeScalarView(scalars)).utf8)
    }
}
