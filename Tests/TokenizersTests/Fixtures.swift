import Foundation
import JSONText
import TestSupport

@testable import Tokenizers

/// Files of a tokenizer in a folder of its own that vanishes with this value.
final class TemporaryTokenizer {
    private let files: TemporaryDirectory

    var directory: URL { files.url }

    /// Writes each file under its name.
    init(files: [String: String]) throws {
        self.files = try TemporaryDirectory()
        for (name, text) in files { try self.files.write(name, text) }
    }

    convenience init(_ tokenizer: JSON, configuration: JSON? = nil) throws {
        var files = ["tokenizer.json": tokenizer.serialized()]
        files["tokenizer_config.json"] = configuration?.serialized()
        try self.init(files: files)
    }
}

/// A small byte-pair tokenizer with the tokens a b c d e ▁ ab abc de ▁ab, to which a test adds what it is about.
func smallTokenizer(_ changes: (inout JSONObject) -> Void = { _ in }) -> JSON {
    let json: JSON = [
        "added_tokens": [addedToken(10, "<s>", special: true), addedToken(11, "<x>")],
        "model": [
            "type": "BPE",
            "unk_token": "?",
            "vocab": [
                "a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "▁": 5, "ab": 6, "abc": 7, "de": 8, "▁ab": 9, "<s>": 10,
                " ": 12,
                "?": 13,
            ],
            "merges": ["a b", "ab c", "d e", "▁ ab"],
        ],
    ]
    var object = json.object ?? JSONObject()
    changes(&object)
    return .object(object)
}

/// An entry of `added_tokens`.
func addedToken(
    _ id: Int,
    _ content: String,
    special: Bool = false,
    singleWord: Bool = false,
    left: Bool = false,
    right: Bool = false,
    normalized: Bool = false
) -> JSON {
    [
        "id": .integer(id), "content": .string(content), "special": .bool(special), "single_word": .bool(singleWord),
        "lstrip": .bool(left), "rstrip": .bool(right), "normalized": .bool(normalized),
    ]
}

/// The tokenizer of a `tokenizer.json`.
func tokenizer(_ json: JSON, configuration: JSON? = nil) throws -> Tokenizer {
    let files = try TemporaryTokenizer(json, configuration: configuration)
    return try Tokenizer(directory: files.directory)
}

/// A setting as it would be read from `tokenizer.json`.
func setting(_ json: JSON) throws -> Setting {
    let files = try TemporaryTokenizer(["setting": json])
    return try Setting(file: files.directory.appendingPathComponent("tokenizer.json")).required("setting")
}

extension Tokenizer {
    /// The tokens of a text as the vocabulary spells them.
    func tokens(_ text: String) -> [String] {
        encode(text, addSpecialTokens: false).map { token($0) ?? "nil" }
    }
}
