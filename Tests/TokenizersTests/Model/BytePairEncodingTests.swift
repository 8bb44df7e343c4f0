import JSONText
import Testing

@testable import Tokenizers

@Suite("Byte-pair encoding")
struct BytePairEncodingTests {
    @Test("merges apply in the order of their ranks, the leftmost of equals first")
    func ranks() throws {
        let tokenizer = try tokenizer(smallTokenizer())
        #expect(tokenizer.tokens("abcab") == ["abc", "ab"])
        #expect(tokenizer.tokens("▁abc") == ["▁", "abc"])
        #expect(tokenizer.tokens("▁abd") == ["▁ab", "d"])
        #expect(tokenizer.tokens("aab") == ["a", "ab"])
        #expect(tokenizer.tokens("d e") == ["d", " ", "e"])
    }

    @Test("merges may be written as pairs too")
    func pairs() throws {
        let tokenizer = try tokenizer(
            smallTokenizer { object in
                var model = object["model"]?.object ?? JSONObject()
                model["merges"] = [["▁", "ab"], ["a", "b"]]
                object["model"] = .object(model)
            }
        )
        #expect(tokenizer.tokens("▁abc") == ["▁ab", "c"])
    }

    @Test("an unknown character is the unknown token, its bytes, or nothing")
    func unknownCharacters() throws {
        #expect(try small(["unk_token": "?"]).tokens("aéüb") == ["a", "?", "?", "b"])
        #expect(try small(["unk_token": "?", "fuse_unk": true]).tokens("aéüb") == ["a", "?", "b"])
        #expect(try small([:]).tokens("aéüb") == ["ab"])
        let bytes = try small(["byte_fallback": true, "unk_token": "?"])
        #expect(bytes.tokens("aéb") == ["a", "<0xC3>", "<0xA9>", "b"])
        // U+00FC ends in a byte that the vocabulary lacks.
        #expect(bytes.tokens("aüb") == ["a", "?", "b"])
    }

    @Test("a piece that is a token is taken whole where merges are ignored")
    func wholePieces() throws {
        #expect(try small(["ignore_merges": true]).tokens("cab") == ["cab"])
        #expect(try small(["ignore_merges": false]).tokens("cab") == ["c", "ab"])
    }

    @Test("prefixes and suffixes mark where a word goes on and ends")
    func affixes() throws {
        let model: JSON = [
            "type": "BPE", "continuing_subword_prefix": "##", "end_of_word_suffix": "$",
            "vocab": ["a": 0, "##b": 1, "##c$": 2, "ab": 3, "a$": 4, "##b$": 5, "abc$": 6],
            "merges": ["a ##b", "ab ##c$"],
        ]
        let tokenizer = try tokenizer(
            smallTokenizer {
                $0["model"] = model; $0["added_tokens"] = nil
            }
        )
        #expect(tokenizer.tokens("abc") == ["abc$"])
        #expect(tokenizer.tokens("ab") == ["a", "##b$"])
        #expect(tokenizer.tokens("a") == ["a$"])
    }

    @Test("random merges give what the textbook's algorithm gives, also where long texts are cut")
    func againstTextbook() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            var tokens = ["a", "b", "c", "d", "▁"]
            var merges: [(String, String)] = []
            for _ in 0..<30 {
                let pair = (
                    tokens.randomElement(using: &generator) ?? "a", tokens.randomElement(using: &generator) ?? "b"
                )
                if tokens.contains(pair.0 + pair.1) || (pair.0 + pair.1).count > 8 { continue }
                merges.append(pair)
                tokens.append(pair.0 + pair.1)
            }
            let vocabulary = tokens.enumerated().map { ($1, JSON.integer($0)) }
            var object = JSONObject()
            for (token, id) in vocabulary { object[token] = id }
            let model: JSON = [
                "type": "BPE", "vocab": .object(object),
                "merges": .array(merges.map { [.string($0.0), .string($0.1)] }),
            ]
            let tokenizer = try tokenizer(
                smallTokenizer {
                    $0["model"] = model; $0["added_tokens"] = nil
                }
            )
            for length in [1, 5, 40, 300] {
                let text = String((0..<length).map { _ in "abcd▁".randomElement(using: &generator) ?? "a" })
                #expect(tokenizer.tokens(text) == Self.textbook(text, merges))
            }
        }
    }

    /// Applies, again and again, the merge of lowest rank at its leftmost place.
    private static func textbook(_ text: String, _ merges: [(String, String)]) -> [String] {
        var symbols = text.map { String($0) }
        while true {
            let candidates = zip(symbols, symbols.dropFirst()).enumerated().compactMap { position, pair in
                merges.firstIndex { $0 == pair }.map { (rank: $0, position: position) }
            }
            guard let best = candidates.min(by: { ($0.rank, $0.position) < ($1.rank, $1.position) }) else {
                return symbols
            }
            symbols[best.position] += symbols.remove(at: best.position + 1)
        }
    }

    private func small(_ settings: JSON) throws -> Tokenizer {
        var model: JSONObject = JSONObject()
        model["type"] = "BPE"
        model["vocab"] = [
            "a": 0, "b": 1, "c": 2, "ab": 3, "cab": 4, "?": 5, "<0xC3>": 6, "<0xA9>": 7,
        ]
        model["merges"] = ["a b"]
        for member in settings.object?.members ?? [] { model[member.key] = member.value }
        return try tokenizer(
            smallTokenizer {
                $0["model"] = .object(model); $0["added_tokens"] = nil
            }
        )
    }
}

@Suite("Vocabulary")
struct VocabularyTests {
    @Test("tokens are found by their bytes, among thousands too")
    func lookUp() {
        var vocabulary = Vocabulary()
        for id in 0..<5000 {
            let isNew = vocabulary.insert("token \(id)", id: id * 2)
            #expect(isNew)
        }
        #expect(vocabulary.size == 9999)
        #expect((0..<5000).allSatisfy { vocabulary.id(of: "token \($0)") == $0 * 2 })
        #expect(vocabulary.id(of: "token") == nil)
        #expect(vocabulary.token(3) == nil)
        #expect(vocabulary.token(10_000) == nil)
        #expect(vocabulary.token(4).map(Array.init) == Array("token 2".utf8))
    }

    @Test("neither an id nor a token may be given twice")
    func collisions() {
        var vocabulary = Vocabulary()
        let insertions = [("\u{E9}", 1), ("e\u{301}", 2), ("x", 1), ("\u{E9}", 3)]
        #expect(insertions.map { vocabulary.insert($0.0, id: $0.1) } == [true, true, false, false])
    }
}
