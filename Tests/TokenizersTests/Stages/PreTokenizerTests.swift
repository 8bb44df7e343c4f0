import JSONText
import Testing

@testable import Tokenizers

@Suite("Pre-tokenizers")
struct PreTokenizerTests {
    static let llama3 =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    @Test("GPT-2's words are cut and their bytes spelled")
    func byteLevel() throws {
        let json: JSON = ["type": "ByteLevel", "add_prefix_space": false]
        #expect(try pieces("Hello  it's 42é\n", json) == ["Hello", "Ġ", "Ġit", "'s", "Ġ42", "Ã©", "Ċ"])
        #expect(try pieces("a b", ["type": "ByteLevel", "add_prefix_space": true]) == ["Ġa", "Ġb"])
        #expect(try pieces(" a", ["type": "ByteLevel", "add_prefix_space": true]) == ["Ġa"])
        let uncut: JSON = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": false]
        #expect(try pieces("a b", uncut) == ["aĠb"])
    }

    @Test("Llama 3's words are cut by its pattern")
    func split() throws {
        let json: JSON = ["type": "Split", "pattern": ["Regex": .string(Self.llama3)], "behavior": "Isolated"]
        #expect(
            try pieces("I'LL pay 12345€!\n\n  now", json) == [
                "I", "'LL", " pay", " ", "123", "45", "€!\n\n", " ", " now",
            ]
        )
    }

    @Test(
        "matches are kept, dropped or merged as asked",
        arguments: [
            ("Isolated", false, ["a", "-", "-", "b", "-"]),
            ("Removed", false, ["a", "b"]),
            ("Contiguous", false, ["a", "--", "b", "-"]),
            ("MergedWithPrevious", false, ["a-", "-", "b-"]),
            ("MergedWithNext", false, ["a", "-", "-b", "-"]),
            ("Removed", true, ["-", "-", "-"]),
        ]
    )
    func behaviors(behavior: String, inverted: Bool, expected: [String]) throws {
        let json: JSON = [
            "type": "Split", "pattern": ["String": "-"], "behavior": .string(behavior), "invert": .bool(inverted),
        ]
        #expect(try pieces("a--b-", json) == expected)
    }

    @Test(
        "Metaspace puts its mark as its scheme says, in the old and the new form",
        arguments: [
            (["prepend_scheme": "always"], ["▁a", "▁b"], ["▁a", "▁b"]),
            (["prepend_scheme": "first"], ["▁a", "▁b"], ["a", "▁b"]),
            (["prepend_scheme": "never"], ["a", "▁b"], ["a", "▁b"]),
            (["prepend_scheme": "first", "split": false], ["▁a▁b"], ["a▁b"]),
            (["add_prefix_space": true], ["▁a", "▁b"], ["▁a", "▁b"]),
            (["add_prefix_space": false], ["a", "▁b"], ["a", "▁b"]),
        ] as [(JSON, [String], [String])]
    )
    func metaspace(settings: JSON, atStart: [String], later: [String]) throws {
        var object = settings.object ?? JSONObject()
        object["type"] = "Metaspace"
        object["replacement"] = "▁"
        #expect(try pieces("a b", .object(object)) == atStart)
        #expect(try pieces("a b", .object(object), startsText: false) == later)
    }

    @Test(
        "a mark before the text only is one before what its first character has become",
        arguments: [
            (nil, ["type": "WhitespaceSplit"], "a b", ["▁a", "b"]),
            (nil, ["type": "WhitespaceSplit"], " a b", ["a", "b"]),
            (["type": "Strip", "strip_left": true, "strip_right": true], nil, "a ", ["▁a"]),
            (["type": "Strip", "strip_left": true, "strip_right": true], nil, " a ", ["a"]),
            (["type": "Nmt"], nil, "\u{1}a", ["a"]),
            (["type": "NFC"], nil, "e\u{301}a", ["▁éa"]),
            (["type": "NFKC"], ["type": "Digits", "individual_digits": true], "½3", ["▁1", "▁⁄", "▁2", "3"]),
            (["type": "Prepend", "prepend": "x"], ["type": "Digits"], "12", ["▁x", "▁12"]),
            (["type": "Replace", "pattern": ["String": "ab"], "content": "x"], nil, "abc", ["xc"]),
            (["type": "Replace", "pattern": ["String": "a"], "content": ""], nil, "ab", ["b"]),
            (["type": "Replace", "pattern": ["String": "a"], "content": "x"], nil, "ab", ["▁xb"]),
        ] as [(JSON?, JSON?, String, [String])]
    )
    func opening(normalizer: JSON?, before: JSON?, text: String, expected: [String]) throws {
        let metaspace: JSON = ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true]
        var (bytes, length) = (Array(text.utf8), 1)
        if bytes[0] >= 0xC0 { length = 2 }
        try normalizer.map { try makeNormalizer(setting($0)) }?.normalize(&bytes, openingLength: &length)
        var pieces = PieceText(bytes: bytes, openingLength: length)
        let stages: JSON = ["type": "Sequence", "pretokenizers": .array((before.map { [$0] } ?? []) + [metaspace])]
        try makePreTokenizer(setting(stages)).cut(&pieces)
        #expect(pieces.pieces.map { String(decoding: pieces.bytes[$0], as: UTF8.self) } == expected)
    }

    @Test("Metaspace adds no second mark before a space and begins a piece at each mark")
    func metaspaceRuns() throws {
        let json: JSON = ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true]
        #expect(try pieces(" a  ▁b ", json) == ["▁a", "▁", "▁", "▁b", "▁"])
    }

    @Test("digits are cut off one by one or together, and stages follow one another")
    func digitsAndSequence() throws {
        #expect(try pieces("a12½b", ["type": "Digits", "individual_digits": true]) == ["a", "1", "2", "½", "b"])
        #expect(try pieces("a12½b", ["type": "Digits", "individual_digits": false]) == ["a", "12½", "b"])
        let sequence: JSON = [
            "type": "Sequence",
            "pretokenizers": [
                ["type": "Split", "pattern": ["String": " "], "behavior": "Removed"], ["type": "Digits"],
            ],
        ]
        #expect(try pieces("a1 2", sequence) == ["a", "1", "2"])
    }

    @Test(
        "scripts are cut apart, both of Japan's syllabaries and Chinese are one, and spaces go with what stands before them",
        arguments: [
            ("  ab  cd", ["ab  cd"]), ("   ", []), ("", []), ("a 日本ーカナ。x", ["a ", "日本ーカナ", "。", "x"]),
            ("か\u{3099}ab", ["か", "\u{3099}", "ab"]), ("\u{378}\u{378}a", ["a"]), ("a\u{378} b", ["a\u{378} b"]),
            ("Привет, мир", ["Привет", ", ", "мир"]), ("\u{953}\u{915}", ["\u{953}\u{915}"]),
            ("가ᄀ漢", ["가ᄀ", "漢"]),
        ] as [(String, [String])]
    )
    func scripts(text: String, expected: [String]) throws {
        #expect(try pieces(text, ["type": "UnicodeScripts"]) == expected)
    }

    @Test("every character has the script that the reference gives it") func scriptTable() throws {
        let table = try ScriptTable()
        // The first character of each script stands for it.
        var firsts: [ScriptTable.Script: UInt32] = [:]
        var (count, digest) = (0, UInt64(14_695_981_039_346_656_037))
        for block in 0..<UInt32(0x1100) {
            for (place, script) in table.scripts(ofBlock: block).enumerated() where script != ScriptTable.anyScript {
                let value = block * ScriptTable.blockSize + UInt32(place)
                let first = firsts[script] ?? value
                firsts[script] = first
                for number in [value, first] { digest = (digest ^ UInt64(number)) &* 1_099_511_628_211 }
                count += 1
            }
        }
        #expect(firsts.count == 135 && count == 128_236 && digest == 7_810_094_645_818_970_609)
    }

    private func pieces(_ text: String, _ json: JSON, startsText: Bool = true) throws -> [String] {
        var text = PieceText(bytes: Array(text.utf8), openingLength: startsText ? 1 : 0)
        try makePreTokenizer(setting(json)).cut(&text)
        return text.pieces.map { String(decoding: text.bytes[$0], as: UTF8.self) }
    }
}
