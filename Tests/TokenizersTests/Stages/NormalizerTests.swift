import JSONText
import Testing

@testable import Tokenizers

@Suite("Normalizers")
struct NormalizerTests {
    @Test(
        "each kind rewrites the text",
        arguments: [
            (["type": "Prepend", "prepend": "▁"], "a b", "▁a b"),
            (["type": "Prepend", "prepend": "▁"], "", ""),
            (["type": "Prepend", "prepend": "▁", "covers_empty": true], "", "▁"),
            (["type": "Replace", "pattern": ["String": " "], "content": "▁"], " a  b", "▁a▁▁b"),
            (["type": "Replace", "pattern": ["String": "aa"], "content": "b"], "aaaaa", "bba"),
            (["type": "Replace", "pattern": ["Regex": #"\s{2,}"#], "content": " "], "a \n b c", "a b c"),
            (["type": "NFC"], "e\u{301}\u{212B}a", "\u{E9}\u{C5}a"),
            (["type": "NFC"], "plain", "plain"),
            (["type": "NFD"], "\u{E9}", "e\u{301}"),
            (
                [
                    "type": "Sequence",
                    "normalizers": [
                        ["type": "Prepend", "prepend": " "],
                        ["type": "Replace", "pattern": ["String": " "], "content": "▁"],
                    ],
                ], "a b", "▁a▁b"
            ),
        ] as [(JSON, String, String)]
    )
    func kinds(json: JSON, text: String, expected: String) throws {
        var bytes = Array(text.utf8)
        try makeNormalizer(setting(json)).normalize(&bytes)
        #expect(bytes == Array(expected.utf8))
    }
}
