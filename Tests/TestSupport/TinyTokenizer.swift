import Foundation
import JSONText
import Tokenizers

/// A byte-level tokenizer whose ids can be read: a byte is its own id, `ab` is 256, and special tokens follow.
public enum TinyTokenizer {
    /// The ids that are no bytes: `ab`, `<s>`, `</s>`, `<|im_start|>` and `<|im_end|>`.
    public static let (merged, begin, end, start, stop) = (256, 257, 258, 259, 260)
    /// As many ids as there are.
    public static let vocabularySize = 261

    /// Without line breaks a template is nothing but what it writes.
    public static let chatML = """
        {% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
        """

    /// Writes its files into a directory and reads them.
    public static func make(
        in directory: TemporaryDirectory,
        endOfSequence: String? = "</s>",
        chatTemplate: String? = chatML
    ) throws -> Tokenizer {
        var vocabulary = JSONObject()
        for byte in 0..<256 { vocabulary[letter(UInt8(byte))] = .integer(byte) }
        vocabulary["ab"] = .integer(merged)
        let special = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"].enumerated().map { number, name -> JSON in
            [
                "id": .integer(begin + number), "content": .string(name), "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            ]
        }
        let byteLevel: JSON = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false,
        ]
        let file: JSON = [
            "version": "1.0", "added_tokens": .array(special), "normalizer": nil, "pre_tokenizer": byteLevel,
            "decoder": byteLevel,
            "post_processor": [
                "type": "TemplateProcessing",
                "single": [
                    ["SpecialToken": ["id": "<s>", "type_id": 0]], ["Sequence": ["id": "A", "type_id": 0]],
                    ["SpecialToken": ["id": "</s>", "type_id": 0]],
                ],
                "pair": [["Sequence": ["id": "A", "type_id": 0]], ["Sequence": ["id": "B", "type_id": 1]]],
                "special_tokens": [
                    "<s>": ["id": "<s>", "ids": [.integer(begin)], "tokens": ["<s>"]],
                    "</s>": ["id": "</s>", "ids": [.integer(end)], "tokens": ["</s>"]],
                ],
            ],
            "model": [
                "type": "BPE", "vocab": .object(vocabulary), "merges": [["a", "b"]], "dropout": nil, "unk_token": nil,
                "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false,
            ],
        ]
        var names = JSONObject()
        names["bos_token"] = "<s>"
        names["eos_token"] = endOfSequence.map(JSON.string)
        names["chat_template"] = chatTemplate.map(JSON.string)
        try directory.write("tokenizer.json", file.serialized())
        try directory.write("tokenizer_config.json", JSON.object(names).serialized())
        return try Tokenizer(directory: directory.url)
    }

    /// The letter that byte-level vocabularies write a byte as.
    private static func letter(_ byte: UInt8) -> String {
        let printable = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        if printable.contains(Int(byte)) { return String(Unicode.Scalar(byte)) }
        let place = (0..<Int(byte)).count { !printable.contains($0) }
        return Unicode.Scalar(UInt32(256 + place)).map(String.init) ?? ""
    }
}
