import Foundation
import JSONText
import Models

extension Workshop {
    /// The texts of the ids: a line break is one, "! " has a space behind its mark, and "3.1" has a point inside.
    static let tokens: [String] = {
        let first = ["<unk>", "<s>", "</s>", ".", "!", "?", "\n", "! ", ".\n", "3.1", "a.", "\n  "]
        return first + (first.count..<vocabularySize).map { "w\($0)" }
    }()

    /// Puts a tokenizer of ``tokens`` into a model's directory.
    func addTokenizer(to directory: String) throws {
        var vocabulary = JSONObject()
        for (id, token) in Self.tokens.enumerated() { vocabulary[token] = .integer(id) }
        let special = (0...2).map { id -> JSON in
            [
                "id": .integer(id), "content": .string(Self.tokens[id]), "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            ]
        }
        let file: JSON = [
            "version": "1.0", "added_tokens": .array(special), "normalizer": nil, "pre_tokenizer": nil,
            "post_processor": nil, "decoder": ["type": "Fuse"],
            "model": ["type": "BPE", "unk_token": "<unk>", "vocab": .object(vocabulary), "merges": []],
        ]
        let names: JSON = ["eos_token": .string(Self.tokens[Self.endOfSequence])]
        for (name, json) in [("tokenizer.json", file), ("tokenizer_config.json", names)] {
            try Data(json.serialized().utf8).write(to: URL(filePath: directory).appending(path: name))
        }
    }
}
