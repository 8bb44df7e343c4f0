import Testing

@testable import Tokenizers

@Suite("Regular expressions")
struct RegularExpressionTests {
    @Test(
        "patterns mean what they mean to Oniguruma",
        arguments: [
            (#"\s+"#, "a \u{A0}\u{3000}b\u{180E}c\u{85}", [" \u{A0}\u{3000}", "\u{85}"]),
            (#"[^\s]+"#, "ab\u{2003}c", ["ab", "c"]),
            (#"\S"#, " a", ["a"]),
            (#"[\s-a]+"#, "b a-b", [" a-"]),
            (#"\w+"#, "a_1²é\u{301}-ⅷⒶ৴", ["a_1²é\u{301}", "ⅷⒶ"]),
            (#"\W+"#, "a-+b", ["-+"]),
            (#"\h+"#, "xAF09g", ["AF09"]),
            (#"\bab\b"#, "ab cab ab\u{301} ab", ["ab", "ab"]),
            (#"\p{Han}+"#, "中、文", ["中", "文"]),
            (#"[^(\s|[.,!]|)-]+"#, "ab.(c|d-e", ["ab", "c", "d", "e"]),
            (#"[]a]+"#, "x]a[", ["]a"]),
            (#"[[:digit:]x]+"#, "a1x2", ["1x2"]),
            (#"[^\w\s]+"#, "a½b²_^¼!", ["½", "²", "^¼!"]),
            (#"[^\S\n]+"#, " a\t\u{3000}\nb\u{180E} ", [" ", "\t\u{3000}", " "]),
            (#"[\H-]+"#, "aXx-9", ["Xx-"]),
            (#"[[:alpha:]]+"#, "aⒶⅧ\u{363}1²\u{301}", ["aⒶⅧ\u{363}"]),
            (#"[[:punct:]]"#, "a$▁¢。_ 1", ["$", "▁", "¢", "。", "_"]),
            (#"[^[:alnum:]]+"#, "a٣½ \u{301}b", ["½ \u{301}"]),
            (#"[[:space:][:blank:]]+"#, "a\u{180E} \u{A0}\nb", [" \u{A0}\n"]),
            (#"[[:lower:]]+"#, "aªⓐA", ["aªⓐ"]),
            (#"[[:upper:]]+"#, "AⅧⒶa", ["AⅧⒶ"]),
            (#"[[:graph:]]+"#, "a\u{61C}\u{E000} \u{7F}\u{378}b", ["a\u{61C}\u{E000}", "b"]),
            (#"[[:word:]]+"#, "a\u{301}_1²", ["a\u{301}_1"]),
            (#"\p{Punct}+"#, "a$.b", ["."]),
            (#"\p{Word}+"#, "a²$½", ["a²", "½"]),
            (#"\P{Word}+"#, "a²$½", ["$"]),
            (#"[^\p{Word}]+"#, "a²$½", ["²$½"]),
            (#"[\P{ASCII}a]+"#, "aéb", ["aé"]),
            (#"\P{Alpha}+"#, "a$1Ⓐ", ["$1"]),
            (#"(?i:'S)"#, "'s 'S 'ſ", ["'s", "'S", "'ſ"]),
            (#"\s+(?!\S)"#, "a   b  ", ["  ", "  "]),
            (#"x$"#, "x\nx", ["x", "x"]),
            (#"x*"#, "xxay", ["xx", "", ""]),
            (#"\p{^L}"#, "a1", ["1"]),
        ]
    )
    func meaning(pattern: String, text: String, expected: [String]) throws {
        #expect(try matches(pattern, in: text) == expected)
    }

    @Test(
        "what cannot be translated is refused by name",
        arguments: [
            (#"[a&&b]"#, "&& inside brackets is not supported"),
            (#"[a[^b]]"#, "[^…] inside brackets is not supported"),
            (#"[\W]"#, #"\W is not supported"#),
            (#"[+-\h]"#, "a class as the end of a range is not supported"),
            (#"[+-[:xdigit:]]"#, "a class as the end of a range is not supported"),
            (#"[[:^alpha:]]"#, "[:^alpha:] is not supported"),
            (#"[[:letter:]]"#, "[:letter:] is not supported"),
            (#"[\P{Alpha}]"#, #"\P{Alpha} inside brackets is not supported"#),
            (#"(a)\1"#, #"\1 is not supported"#),
            (#"\X"#, #"\X is not supported"#),
            (#"(?m:.)"#, "(?m), which is (?s) elsewhere, is not supported"),
            (#"[a"#, "a bracket is not closed"),
            ("a\\", "it ends with a backslash"),
            (#"\pL"#, #"\p lacks its braces"#),
            (#"\p{Nonsense}"#, "unknown property"),
            ("(", "missing closing parenthesis"),
            ("[a-[b]]", "a hyphen beside brackets inside brackets is not supported"),
            ("[[a]-z]", "a hyphen beside brackets inside brackets is not supported"),
        ]
    )
    func refusals(pattern: String, message: String) {
        let error = #expect(throws: RegularExpressionError.self, "\(pattern)") {
            try RegularExpression(oniguruma: pattern)
        }
        #expect(error?.description.contains(message) != false)
    }

    @Test("a repeated group over a long text outgrows no stack")
    func longText() throws {
        let text = String(repeating: "ab", count: 100_000)
        #expect(try matches("(?:a|b)+", in: text) == [text])
    }

    @Test("a pattern that explodes comes to an end")
    func explosion() throws {
        #expect(try matches("(a+)+b", in: String(repeating: "a", count: 60)) == [])
    }

    private func matches(_ pattern: String, in text: String) throws -> [String] {
        let expression = try RegularExpression(oniguruma: pattern)
        let bytes = Array(text.utf8)
        var matches: [String] = []
        bytes.withUnsafeBufferPointer { buffer in
            expression.forEachMatch(in: buffer) { matches.append(String(decoding: bytes[$0], as: UTF8.self)) }
        }
        return matches
    }
}

@Suite("Stand-ins")
struct StandInsTests {
    @Test("letters younger than the pattern's Unicode are shown as older ones of equal length")
    func youngLetters() {
        let standIns = StandIns(patternVersion: (14, 0))
        // The first ideograph of Unicode 15's extension H, then one of 1999.
        let text = "a\u{31350}\u{3402}😀"
        let substituted = substitute(text, standIns)
        #expect(substituted == "a\u{3134A}\u{3402}😀")
        #expect(substitute("a\u{3402}😀é", standIns) == nil)
    }

    @Test("letters younger than the reference's Unicode are shown as unassigned")
    func futureLetters() {
        // U+088F was assigned in Unicode 17.
        let substituted = substitute("\u{88F}", StandIns(patternVersion: (17, 0)))
        #expect(substituted?.unicodeScalars.first?.properties.generalCategory == .unassigned)
        #expect(substitute("\u{88F}", StandIns(patternVersion: (16, 0))) == nil)
    }

    private func substitute(_ text: String, _ standIns: StandIns) -> String? {
        Array(text.utf8).withUnsafeBufferPointer { standIns.substituted(in: $0) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

@Suite("UTF-8 text")
struct UTF8TextTests {
    @Test(
        "only the beginning of a character that can go on is incomplete",
        arguments: [
            ([], 0), ([0x41], 0), ([0xC3, 0xA9], 0), ([0x41, 0xC3], 1), ([0xE2, 0x82], 2), ([0xF0, 0x9F, 0x98], 3),
            ([0xF0, 0x9F, 0x98, 0x80], 0), ([0x80, 0x80], 0), ([0xE0, 0x80], 0), ([0xED, 0xA0], 0), ([0xF4, 0x90], 0),
            ([0xF5], 0), ([0xC0], 0), ([0xE0, 0xA0], 2), ([0xC3, 0x80, 0x80], 0),
        ] as [([UInt8], Int)]
    )
    func incompleteEnd(bytes: [UInt8], length: Int) {
        #expect(UTF8Text.lengthOfIncompleteEnd(bytes) == length)
    }
}
