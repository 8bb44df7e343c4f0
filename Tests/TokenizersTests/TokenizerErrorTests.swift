import Foundation
import JSONText
import Testing
import Tokenizers

@Suite("Tokenizer errors")
struct TokenizerErrorTests {
    @Test("a folder without tokenizer.json is refused")
    func missingFile() throws {
        let files = try TemporaryTokenizer(files: [:])
        expectError("holds no tokenizer.json") { try Tokenizer(directory: files.directory) }
    }

    @Test("a truncated file is refused at every length")
    func truncatedFile() throws {
        let text = smallTokenizer().serialized()
        for length in stride(from: 0, to: text.utf8.count, by: 7) {
            let files = try TemporaryTokenizer(files: ["tokenizer.json": String(text.prefix(length))])
            expectError("is not valid JSON: line 1, column") { try Tokenizer(directory: files.directory) }
        }
    }

    @Test(
        "a damaged model is refused with its place",
        arguments: [
            ("model", nil, "model is missing"),
            ("model", 5, "model has no type"),
            ("model.type", "Quantum", #"model is of type "Quantum", which is not supported; supported are BPE"#),
            ("model.type", 5, "model.type must be a string, but is an integer"),
            ("model.vocab", nil, "model.vocab is missing"),
            ("model.vocab", ["a", "b"], "model.vocab must be an object, but is an array"),
            ("model.vocab.a", -1, #"model.vocab gives "a" an id that is not a whole number"#),
            ("model.vocab.a", 1.5, #"model.vocab gives "a" an id that is not a whole number"#),
            ("model.vocab.a", 99_999_999_999, #"model.vocab gives "a" an id that is not a whole number"#),
            ("model.vocab.f", 3, #"model.vocab gives the id 3 to both "d" and "f""#),
            ("model.merges", nil, "model.merges is missing"),
            ("model.merges", "a b", "model.merges must be an array, but is a string"),
            ("model.merges", ["a b", "ab"], #"model.merges holds at position 1 neither "a b" nor ["a", "b"]"#),
            ("model.merges", [["a", "b", "c"]], #"model.merges holds at position 0 neither "a b" nor ["a", "b"]"#),
            ("model.merges", [7], #"model.merges holds at position 0 neither "a b" nor ["a", "b"]"#),
            (
                "model.merges", ["a z"],
                #"model.merges needs at position 0 the token "z", which is not in the vocabulary"#
            ),
            (
                "model.merges", ["b a"],
                #"model.merges needs at position 0 the token "ba", which is not in the vocabulary"#
            ),
            ("model.unk_token", "nope", #"model.unk_token is "nope", which is not in the vocabulary"#),
            ("model.unk_token", "no\npe", #"model.unk_token is "no\npe", which is not in the vocabulary"#),
            ("model.byte_fallback", "yes", "model.byte_fallback must be true or false, but is a string"),
            ("model.dropout", 0.1, "model.dropout asks for random merges"),
        ] as [(String, JSON, String)]
    )
    func model(path: String, value: JSON, message: String) throws {
        try expectError(path, value, message)
    }

    @Test(
        "a damaged stage is refused with its place",
        arguments: [
            ("added_tokens", 5, "added_tokens must be an array, but is an integer"),
            ("added_tokens", [["id": 20]], "added_tokens[0].content is missing"),
            ("added_tokens", [["content": "z"]], "added_tokens[0].id is missing"),
            (
                "added_tokens", [["id": 0, "content": "z"]],
                #"added_tokens[0] gives "z" the id 0, which belongs to "a""#
            ),
            (
                "added_tokens", [["id": 20, "content": "a"]],
                #"added_tokens[0] gives "a" the id 20, but it already has the id 0"#
            ),
            (
                "added_tokens", [["id": 20, "content": "y"], ["id": 20, "content": "z"]],
                #"added_tokens[1] gives "z" the id 20, which belongs to "y""#
            ),
            ("normalizer", ["type": "Quantum"], #"normalizer is of type "Quantum", which is not supported"#),
            ("normalizer", "NFC", "normalizer.type is missing"),
            (
                "normalizer", ["type": "Sequence", "normalizers": [["type": "NFC"], ["type": "Prepend"]]],
                "normalizer.normalizers[1].prepend is missing"
            ),
            (
                "normalizer", ["type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAD/AA=="],
                "normalizer.precompiled_charsmap has a value that is no UTF-8"
            ),
            ("pre_tokenizer", ["type": "Quantum"], #"pre_tokenizer is of type "Quantum", which is not supported"#),
            (
                "pre_tokenizer", ["type": "Split", "pattern": ["Regex": "("], "behavior": "Isolated"],
                "pre_tokenizer.pattern.Regex is not a usable regular expression: missing closing parenthesis"
            ),
            (
                "pre_tokenizer", ["type": "Split", "pattern": ["String": ""], "behavior": "Isolated"],
                "pre_tokenizer.pattern.String must not be empty"
            ),
            (
                "pre_tokenizer", ["type": "Split", "pattern": ["String": " "], "behavior": "Sideways"],
                #"pre_tokenizer.behavior is "Sideways", which is not supported"#
            ),
            (
                "pre_tokenizer", ["type": "Metaspace", "replacement": "ab"],
                "pre_tokenizer.replacement must be one character"
            ),
            (
                "pre_tokenizer",
                ["type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "add_prefix_space": false],
                "pre_tokenizer.prepend_scheme contradicts the add_prefix_space beside it"
            ),
            ("post_processor", ["type": "Quantum"], #"post_processor is of type "Quantum", which is not supported"#),
            (
                "post_processor",
                ["type": "TemplateProcessing", "single": [["SpecialToken": ["id": "<s>"]]], "pair": []],
                #"post_processor.single[0].SpecialToken.id is "<s>", which special_tokens does not list"#
            ),
            (
                "post_processor", ["type": "BertProcessing", "cls": ["<s>", 77], "sep": ["<s>", 10]],
                "post_processor adds the id 77, which no token has"
            ),
            ("decoder", ["type": "Quantum"], #"decoder is of type "Quantum", which is not supported"#),
            ("decoder", ["type": "Strip", "content": " ", "start": "x"], "decoder.start must be a small whole number"),
        ] as [(String, JSON, String)]
    )
    func stage(path: String, value: JSON, message: String) throws {
        try expectError(path, value, message)
    }

    @Test("a damaged tokenizer_config.json is refused")
    func configuration() throws {
        expectError("tokenizer_config.json: bos_token must be a string, but is an integer") {
            try tokenizer(smallTokenizer(), configuration: ["bos_token": 1])
        }
        expectError("tokenizer_config.json: eos_token.content is missing") {
            try tokenizer(smallTokenizer(), configuration: ["eos_token": ["text": "<s>"]])
        }
    }

    /// Expects an error for the small tokenizer with one value replaced.
    private func expectError(_ path: String, _ value: JSON, _ message: String) throws {
        let keys = path.split(separator: ".").map(String.init)
        let damaged = Self.replacing(keys[...], in: smallTokenizer(), by: value)
        expectError(message) { try tokenizer(damaged) }
    }

    private func expectError(_ message: String, _ body: () throws -> some Any) {
        let error = #expect(throws: TokenizerError.self) { _ = try body() }
        let description = error?.description ?? ""
        #expect(description.contains(message), "\(description)")
        #expect(!description.contains("\n"))
    }

    private static func replacing(_ keys: ArraySlice<String>, in json: JSON, by value: JSON) -> JSON {
        guard let key = keys.first, var object = json.object else { return value }
        object[key] = replacing(keys.dropFirst(), in: object[key] ?? nil, by: value)
        return .object(object)
    }
}
