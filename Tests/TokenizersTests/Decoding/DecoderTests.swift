import JSONText
import Testing

@testable import Tokenizers

@Suite("Decoders")
struct DecoderTests {
    static let llama: JSON = [
        "type": "Sequence",
        "decoders": [
            ["type": "Replace", "pattern": ["String": "▁"], "content": " "], ["type": "ByteFallback"],
            ["type": "Fuse"], ["type": "Strip", "content": " ", "start": 1, "stop": 0],
        ],
    ]

    @Test(
        "each kind turns tokens into text",
        arguments: [
            (["type": "Fuse"], ["a", "b"], "ab"),
            (["type": "ByteLevel"], ["Ġa", "Ã", "©", "Ċ"], " aé\n"),
            (["type": "ByteLevel"], ["a", "日", "Ġ"], "a日 "),
            (["type": "ByteLevel"], ["ð", "Ł", "a", "©"], "\u{FFFD}a\u{FFFD}"),
            (["type": "ByteFallback"], ["a", "<0xC3>", "<0xA9>", "<0x41>", "b"], "aéAb"),
            (["type": "ByteFallback"], ["<0xC3>", "<0x41>"], "\u{FFFD}\u{FFFD}"),
            (["type": "ByteFallback"], ["<0xZZ>", "<0x1>"], "<0xZZ><0x1>"),
            (["type": "Replace", "pattern": ["String": "ab"], "content": "-"], ["ab", "a", "b"], "-ab"),
            (["type": "Replace", "pattern": ["Regex": "a+"], "content": "-"], ["aab", "a"], "-b-"),
            (["type": "Strip", "content": " ", "start": 1, "stop": 2], ["  a   ", " b", "c "], " a bc"),
            (["type": "Metaspace", "replacement": "▁"], ["▁a", "▁b▁"], "a b "),
            (["type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"], ["▁a", "▁b"], " a b"),
            (llama, ["▁", "▁a", "<0xE2>", "<0x82>", "<0xAC>", "▁b"], " a€ b"),
            (llama, [], ""),
        ] as [(JSON, [String], String)]
    )
    func kinds(json: JSON, tokens: [String], expected: String) throws {
        var chain = DecoderChain(try makeDecoderStages(setting(json)))
        var text: [UInt8] = []
        for token in tokens { chain.push(Array(token.utf8)[...], to: &text) }
        chain.finish(to: &text)
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test("a stripped end is held back until it is certain")
    func strippedEnd() throws {
        let json: JSON = [
            "type": "Sequence",
            "decoders": [["type": "Fuse"], ["type": "Strip", "content": " ", "start": 0, "stop": 1]],
        ]
        #expect(try parts(["a ", "b", " ", " "], json) == ["a", " b", "", " ", ""])
    }

    @Test("text appears as soon as it is certain, in whole characters")
    func streaming() throws {
        #expect(
            try parts(["Ġa", "ð", "Ł", "ĺ", "Ģ", "Ã"], ["type": "ByteLevel"]) == [
                " a", "", "", "", "😀", "", "\u{FFFD}",
            ]
        )
        let bytes = ["▁a", "<0xE2>", "<0x82>", "<0xAC>", "▁b"]
        #expect(try parts(bytes, Self.llama) == ["a", "", "", "", "€ b", ""])
        #expect(try parts(["a", "b"], nil) == ["a", " b", ""])
    }

    /// What each token and, at last, the end hands out.
    private func parts(_ tokens: [String], _ json: JSON?) throws -> [String] {
        var chain = DecoderChain(try makeDecoderStages(json.map(setting)))
        var parts: [String] = []
        for token in tokens {
            var text: [UInt8] = []
            chain.push(Array(token.utf8)[...], to: &text)
            parts.append(String(decoding: text, as: UTF8.self))
        }
        var text: [UInt8] = []
        chain.finish(to: &text)
        return parts + [String(decoding: text, as: UTF8.self)]
    }
}

@Suite("Byte alphabet")
struct ByteAlphabetTests {
    @Test("spelling and reading all bytes gives them back")
    func roundTrip() {
        let all = (0...255).map { UInt8($0) }
        var spelled: [UInt8] = []
        all.withUnsafeBufferPointer { ByteAlphabet.appendSpelling(of: $0, to: &spelled) }
        var read: [UInt8] = []
        #expect(ByteAlphabet.appendBytes(spelledBy: spelled, to: &read))
        #expect(read == all)
        #expect(String(decoding: spelled, as: UTF8.self).contains("Ġ!\"#"))
    }

    @Test("a text with other characters leaves nothing behind")
    func otherCharacters() {
        var read: [UInt8] = [1]
        #expect(!ByteAlphabet.appendBytes(spelledBy: Array("a日".utf8), to: &read))
        #expect(!ByteAlphabet.appendBytes(spelledBy: Array("a b".utf8), to: &read))
        #expect(read == [1])
    }
}
