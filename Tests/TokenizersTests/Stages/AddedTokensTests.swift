import JSONText
import Testing

@testable import Tokenizers

@Suite("Added tokens")
struct AddedTokensTests {
    @Test("they are found before the model sees the text, the longest of those at one place")
    func longest() throws {
        let tokenizer = try small([addedToken(20, "<x"), addedToken(21, "<x>y"), addedToken(22, "<x>")])
        #expect(tokenizer.encode("a<x>yb<x>c<xd") == [0, 21, 1, 22, 2, 20, 3])
    }

    @Test("they swallow the white space that they are told to")
    func stripping() throws {
        let tokenizer = try small([
            addedToken(20, "<l>", left: true), addedToken(21, "<r>", right: true),
            addedToken(22, "<b>", left: true, right: true),
        ])
        #expect(tokenizer.encode("a <l> b") == [0, 20, 12, 1])
        #expect(tokenizer.encode("a <r> b") == [0, 12, 21, 1])
        #expect(tokenizer.encode("a \n\u{3000}<b>\t b") == [0, 22, 1])
        #expect(tokenizer.encode("a<r> <l>b") == [0, 21, 20, 1])
    }

    @Test("a single word counts only where no word character touches it")
    func singleWord() throws {
        let tokenizer = try small([addedToken(20, "de", singleWord: true)])
        let whole = tokenizer.encode("a de!")
        #expect(whole == [0, 12, 20, 13])
        #expect(tokenizer.encode("ade") == [0, 3, 4])
        #expect(tokenizer.encode("dea") == [3, 4, 0])
        #expect(tokenizer.encode("de_") == [3, 4, 13])
        #expect(tokenizer.encode("de\u{301}") == [3, 4, 13])
    }

    @Test("a normalised token is found in the normalised text and decodes to its normalised form")
    func normalized() throws {
        let tokens: [JSON] = [addedToken(20, "a b", normalized: true), addedToken(21, "c d")]
        let normalizer: JSON = ["type": "Replace", "pattern": ["String": " "], "content": "▁"]
        let tokenizer = try small(tokens) { object in
            object["normalizer"] = normalizer
            object["decoder"] = ["type": "Fuse"]
        }
        #expect(tokenizer.encode("a b") == [20])
        #expect(tokenizer.encode("a▁b") == [20])
        #expect(tokenizer.encode("c d") == [21])
        #expect(tokenizer.encode("c▁d") == [2, 5, 3])
        #expect(tokenizer.decode([20, 21]) == "a▁bc d")
        #expect(tokenizer.token(20) == "a b")
    }

    @Test("every stretch between them is normalised on its own")
    func normalizedStretches() throws {
        let tokenizer = try small([addedToken(20, "<x>")]) { $0["normalizer"] = ["type": "Prepend", "prepend": "▁"] }
        #expect(tokenizer.tokens("ab<x>ab") == ["▁ab", "<x>", "▁ab"])
    }

    @Test("special ones are left out of decoded text where asked, others never")
    func special() throws {
        let tokenizer = try small([addedToken(20, "<s>", special: true), addedToken(21, "<x>")]) {
            $0["decoder"] = ["type": "Fuse"]
        }
        #expect(tokenizer.decode([20, 0, 21]) == "<s>a<x>")
        #expect(tokenizer.decode([20, 0, 21], skipSpecialTokens: true) == "a<x>")
        #expect(tokenizer.encode("<s>a", addSpecialTokens: false) == [20, 0])
    }

    /// Single letters and the merge of `▁ab` only, so that ids are easy to read.
    private func small(_ added: [JSON], _ changes: (inout JSONObject) -> Void = { _ in }) throws -> Tokenizer {
        try tokenizer(
            smallTokenizer { object in
                object["added_tokens"] = .array(added)
                object["model"] = [
                    "type": "BPE", "unk_token": "?",
                    "vocab": ["a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "▁": 5, "▁a": 6, "▁ab": 7, " ": 12, "?": 13],
                    "merges": ["▁ a", "▁a b"],
                ]
                changes(&object)
            }
        )
    }
}

@Suite("Token trie")
struct TokenTrieTests {
    @Test("the leftmost match wins, then the longest")
    func matches() {
        let trie = TokenTrie([[1, 2], [1, 2, 3], [2, 3, 4], [9]])
        #expect(match(trie, [0, 1, 2, 3, 4]) == [1, 1, 4])
        #expect(match(trie, [1, 2, 4]) == [0, 0, 2])
        #expect(match(trie, [1, 1, 9]) == [3, 2, 3])
        #expect(match(trie, [1, 1]) == nil)
        #expect(match(trie, []) == nil)
        #expect(match(TokenTrie([]), [1]) == nil)
    }

    private func match(_ trie: TokenTrie, _ text: [UInt8]) -> [Int]? {
        text.withUnsafeBufferPointer { trie.firstMatch(in: $0, from: 0) }.map {
            [$0.pattern, $0.range.lowerBound, $0.range.upperBound]
        }
    }
}
