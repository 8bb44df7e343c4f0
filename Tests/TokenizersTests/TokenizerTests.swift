import Foundation
import JSONText
import Testing
import Tokenizers

@Suite("Tokenizer")
struct TokenizerTests {
    @Test("tokens are found by id and by their bytes")
    func lookUp() throws {
        let tokenizer = try tokenizer(smallTokenizer())
        #expect(tokenizer.vocabularySize == 14)
        #expect(tokenizer.token(7) == "abc")
        #expect(tokenizer.token(11) == "<x>")
        #expect(tokenizer.token(99) == nil)
        #expect(tokenizer.token(-1) == nil)
        #expect(tokenizer.id(of: "de") == 8)
        #expect(tokenizer.id(of: "<x>") == 11)
        #expect(tokenizer.id(of: "xyz") == nil)
        #expect(tokenizer.isSpecial(10))
        #expect(!tokenizer.isSpecial(11))
    }

    @Test("canonically equivalent tokens stay apart")
    func byteExactVocabulary() throws {
        let tokenizer = try tokenizer(
            smallTokenizer { object in
                object["model"] = [
                    "type": "BPE", "vocab": ["\u{E9}": 0, "e": 1, "\u{301}": 2, "e\u{301}": 3],
                    "merges": [["e", "\u{301}"]],
                ]
                object["added_tokens"] = nil
            }
        )
        #expect(tokenizer.encode("\u{E9}e\u{301}") == [0, 3])
        #expect(tokenizer.id(of: "e\u{301}") == 3)
    }

    @Test("ids that no token has are left out when decoding")
    func unknownIDs() throws {
        let tokenizer = try tokenizer(smallTokenizer { $0["decoder"] = ["type": "Fuse"] })
        #expect(tokenizer.decode([0, 99, -3, 1]) == "ab")
    }

    @Test("without a decoder tokens are joined by spaces, without a post-processor nothing is added")
    func bareTokenizer() throws {
        let tokenizer = try tokenizer(smallTokenizer())
        #expect(tokenizer.encode("abcde") == [7, 8])
        #expect(tokenizer.encode("a", "b") == [0, 1])
        #expect(tokenizer.decode([7, 8]) == "abc de")
        #expect(tokenizer.encode("") == [])
        #expect(tokenizer.decode([]) == "")
    }

    @Test("truncation and padding are left to the caller")
    func truncationAndPadding() throws {
        let tokenizer = try tokenizer(
            smallTokenizer { object in
                object["truncation"] = ["max_length": 1, "strategy": "LongestFirst", "stride": 0]
                object["padding"] = ["strategy": ["Fixed": 8], "pad_id": 0]
            }
        )
        #expect(tokenizer.encode("abcde") == [7, 8])
    }

    @Test("special tokens are named by their text or by an object")
    func specialTokenNames() throws {
        let configuration: JSON = [
            "bos_token": "<s>", "eos_token": ["content": "<x>", "lstrip": false], "pad_token": nil,
            "unk_token": "no such token",
        ]
        let tokenizer = try tokenizer(smallTokenizer(), configuration: configuration)
        #expect(tokenizer.beginningOfSequence == 10)
        #expect(tokenizer.endOfSequence == 11)
        #expect(tokenizer.padding == nil)
        #expect(tokenizer.unknown == nil)
        #expect(tokenizer.chatTemplate == nil)
    }

    @Test("special_tokens_map.json adds what tokenizer_config.json lacks")
    func specialTokensMap() throws {
        let files = try TemporaryTokenizer(files: [
            "tokenizer.json": smallTokenizer().serialized(),
            "tokenizer_config.json": #"{"bos_token": "<s>"}"#,
            "special_tokens_map.json": #"{"bos_token": "a", "pad_token": "<x>"}"#,
        ])
        let tokenizer = try Tokenizer(directory: files.directory)
        #expect(tokenizer.beginningOfSequence == 10)
        #expect(tokenizer.padding == 11)
        #expect(tokenizer.directory == files.directory)
    }

    @Test("the chat template comes from its own file, else from the configuration")
    func chatTemplate() throws {
        #expect(try tokenizer(smallTokenizer(), configuration: ["chat_template": "one"]).chatTemplate == "one")
        let named: JSON = [
            "chat_template": [["name": "tool_use", "template": "two"], ["name": "default", "template": "three"]]
        ]
        #expect(try tokenizer(smallTokenizer(), configuration: named).chatTemplate == "three")
        let files = try TemporaryTokenizer(files: [
            "tokenizer.json": smallTokenizer().serialized(),
            "tokenizer_config.json": #"{"chat_template": "one"}"#,
            "chat_template.jinja": "four\n",
        ])
        #expect(try Tokenizer(directory: files.directory).chatTemplate == "four\n")
    }
}
