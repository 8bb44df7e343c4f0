import Synchronization

/// The script of each character, as the `tokenizers` library tells it: by Unicode 9.
final class ScriptTable: Sendable {
    /// The number of a script; 0 is that of characters which belong to any, as those do that Unicode 9 has not.
    typealias Script = UInt8

    static let anyScript: Script = 0
    private static let version: Unicode.Version = (9, 0)
    static let blockSize: UInt32 = 256

    /// Every script of Unicode 9; those that text is most often written in come first, since they are tried in this order.
    private static let names = """
        Common Latin Han Cyrillic Arabic Hangul Inherited Devanagari Greek Hebrew Thai Bengali Tamil Telugu Hiragana Katakana Adlam \
        Ahom Anatolian_Hieroglyphs Armenian Avestan Balinese Bamum Bassa_Vah Batak Bhaiksuki Bopomofo Brahmi Braille Buginese \
        Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Coptic Cuneiform Cypriot Deseret Duployan \
        Egyptian_Hieroglyphs Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Gujarati Gurmukhi Hanunoo Hatran \
        Imperial_Aramaic Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Kayah_Li Kharoshthi Khmer Khojki \
        Khudawadi Lao Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Malayalam Mandaic Manichaean Marchen \
        Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean \
        New_Tai_Lue Newa Nko Ogham Ol_Chiki Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian \
        Old_South_Arabian Old_Turkic Oriya Osage Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi \
        Rejang Runic Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac \
        Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tangut Thaana Tibetan Tifinagh Tirhuta Ugaritic Vai Warang_Citi Yi
        """.split(separator: " ").map(String.init)

    /// Characters that belonged to another script then than they do now.
    private static let changes: [UInt32: String] = [
        0x589: "Common", 0x61C: "Common", 0x953: "Devanagari", 0x954: "Devanagari",
        // What lengthens a vowel in either of Japan's syllabaries.
        0x30FC: "Han",
    ]

    /// One group for each script.
    private let expression: RegularExpression
    /// The scripts of the blocks of characters that were asked for.
    private let blocks = Mutex<[UInt32: [Script]]>([:])

    /// - Throws: where the system's PCRE2 lacks one of the scripts.
    init() throws(RegularExpressionError) {
        // Since 10.40 a bare name means all scripts that a character is used with; before, the script alone had no other name.
        do {
            expression = try RegularExpression(pcre2: Self.pattern(prefix: "sc:"))
        } catch {
            expression = try RegularExpression(pcre2: Self.pattern(prefix: ""))
        }
    }

    private static func pattern(prefix: String) -> String {
        names.map { "(\\p{\(prefix)\($0)}+)" }.joined(separator: "|")
    }

    /// The scripts of a block of characters, made when it is first asked for.
    ///
    /// Whether two characters are of one script is whether these are equal; Chinese and both of Japan's syllabaries are one.
    func scripts(ofBlock block: UInt32) -> [Script] {
        blocks.withLock { blocks in
            if let known = blocks[block] { return known }
            let made = madeScripts(ofBlock: block)
            blocks[block] = made
            return made
        }
    }

    private func madeScripts(ofBlock block: UInt32) -> [Script] {
        let first = block * Self.blockSize
        var scripts = [Script](repeating: Self.anyScript, count: Int(Self.blockSize))
        let scalars = (first..<first + Self.blockSize).compactMap(Unicode.Scalar.init)
        guard let start = scalars.first else { return scripts }
        // A block's characters are of equal length but for the first ones, so their places are looked up.
        var places: [Int: Unicode.Scalar] = [:]
        var text: [UInt8] = []
        for scalar in scalars {
            places[text.count] = scalar
            text += Array(String(scalar).utf8)
        }
        text.withUnsafeBufferPointer { text in
            expression.forEachGroup(in: text) { range, group in
                for place in range {
                    guard let scalar = places[place] else { continue }
                    scripts[Int(scalar.value - start.value)] = Self.number(scalar, group)
                }
            }
        }
        return scripts
    }

    private static func number(_ scalar: Unicode.Scalar, _ group: Int) -> Script {
        guard ReferenceUnicode.isAssigned(scalar, in: version), scalar != " " else { return anyScript }
        var name = changes[scalar.value] ?? names[group - 1]
        if name == "Hiragana" || name == "Katakana" { name = "Han" }
        return Script((names.firstIndex(of: name) ?? 0) + 1)
    }
}

/// Cuts pieces where a script ends and another begins.
///
/// A space, and a character that belongs to any script, goes with what stands in front of it; in front of a whole piece it is dropped.
struct ScriptPreTokenizer: PreTokenizer {
    let table: ScriptTable

    func cut(_ text: inout PieceText) {
        text.cutPieces { piece, parts in
            var start: Int?
            var current = ScriptTable.anyScript
            var position = 0
            var known: (block: UInt32, scripts: [ScriptTable.Script]) = (.max, [])
            while position < piece.count {
                let scalar = UTF8Text.scalar(at: position, in: piece)
                let block = scalar / ScriptTable.blockSize
                if block != known.block { known = (block, table.scripts(ofBlock: block)) }
                let script = known.scripts[Int(scalar % ScriptTable.blockSize)]
                if script != ScriptTable.anyScript, script != current {
                    if let start { parts.append(start..<position) }
                    (start, current) = (position, script)
                }
                position += UTF8Text.lengthOfCharacter(startingWith: piece[position])
            }
            if let start { parts.append(start..<piece.count) }
        }
    }
}
