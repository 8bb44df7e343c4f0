import Foundation
import JSONText

/// The tokenizer of the pocket world, written as the files that Hugging Face tools load.
///
/// A byte-level BPE without merges: its vocabulary holds the five marks, the 256 bytes and, with its leading space, every
/// word of the world. With `ignore_merges`, as in Llama 3, a piece of text that is a vocabulary entry is one token;
/// anything else is spelled in bytes, so that any text can be encoded. `add_prefix_space` gives the word after a mark its space.
public struct WorldTokenizer: Sendable {
    /// A token with a meaning of its own.
    public enum Mark: String, CaseIterable, Sendable {
        case padding = "<|pad|>"
        case beginning = "<|begin|>"
        case end = "<|end|>"
        case user = "<|user|>"
        case assistant = "<|assistant|>"

        /// The id of this mark.
        public var id: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What surrounds a plain prompt, in the form of `--input-template`: `{}` is the prompt.
    ///
    /// With the mark that the tokenizer puts at the beginning this gives the same tokens as the chat template.
    public static let inputTemplate = Mark.user.rawValue + "{}" + Mark.assistant.rawValue

    /// The turns of a conversation as a Jinja template: marks, then the words, with the end mark after the assistant's.
    public static let chatTemplate =
        "{{ bos_token }}{% for message in messages %}"
        + "{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
        + "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + eos_token }}"
        + "{% else %}{{ raise_exception('the pocket world knows the roles user and assistant only') }}{% endif %}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

    /// All tokens in the order of their ids, as they are spelled in `tokenizer.json`.
    public let tokens: [String]

    /// The tokenizer of the world's vocabulary.
    public init() {
        let bytes = (UInt8.min...UInt8.max).map { String(Self.spelling(of: $0)) }
        tokens = Mark.allCases.map(\.rawValue) + bytes + Vocabulary.words.map { Self.space + $0 }
    }

    /// The number of ids.
    public var vocabularySize: Int { tokens.count }

    /// Writes `tokenizer.json` and `tokenizer_config.json` into an existing directory.
    ///
    /// - Throws: `PocketWorldError.cannotWrite` naming the file.
    public func write(to directory: URL) throws(PocketWorldError) {
        try TextFile.write(
            tokenizerJSON.serialized(pretty: true) + "\n",
            to: directory.appending(path: "tokenizer.json")
        )
        try TextFile.write(
            configurationJSON.serialized(pretty: true) + "\n",
            to: directory.appending(path: "tokenizer_config.json")
        )
    }
}

extension WorldTokenizer {
    /// How byte-level vocabularies spell a space.
    private static let space = String(spelling(of: UInt8(ascii: " ")))

    /// GPT-2's spelling of a byte: visible Latin-1 characters stand for themselves, the others for U+0100 and following.
    private static func spelling(of byte: UInt8) -> Character {
        func isVisible(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x21...0x7e, 0xa1...0xac, 0xae...0xff: true
            default: false
            }
        }
        let hiddenBefore = (0..<byte).count { !isVisible($0) }
        let scalar = isVisible(byte) ? UInt16(byte) : 0x100 + UInt16(hiddenBefore)
        return Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")
    }

    private var tokenizerJSON: JSON {
        var vocabulary = JSONObject()
        for (id, token) in tokens.enumerated() { vocabulary[token] = .integer(id) }
        let byteLevel: JSON = ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]
        return [
            "version": "1.0", "truncation": nil, "padding": nil,
            "added_tokens": .array(Mark.allCases.map(Self.addedToken)),
            "normalizer": nil, "pre_tokenizer": byteLevel, "post_processor": Self.beginningProcessor,
            "decoder": byteLevel,
            "model": [
                "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
                "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
                "vocab": .object(vocabulary), "merges": [],
            ],
        ]
    }

    private static func addedToken(_ mark: Mark) -> JSON {
        [
            "id": .integer(mark.id), "content": .string(mark.rawValue), "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true,
        ]
    }

    /// Puts the beginning mark before each text, unless special tokens are switched off.
    private static var beginningProcessor: JSON {
        let name = JSON.string(Mark.beginning.rawValue)
        let mark: JSON = ["SpecialToken": ["id": name, "type_id": 0]]
        func sequence(_ name: String, type: Int) -> JSON {
            ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
        }
        var specialTokens = JSONObject()
        specialTokens[Mark.beginning.rawValue] = ["id": name, "ids": [.integer(Mark.beginning.id)], "tokens": [name]]
        return [
            "type": "TemplateProcessing", "single": [mark, sequence("A", type: 0)],
            "pair": [mark, sequence("A", type: 0), sequence("B", type: 1)], "special_tokens": .object(specialTokens),
        ]
    }

    private var configurationJSON: JSON {
        [
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": .string(Mark.beginning.rawValue),
            "eos_token": .string(Mark.end.rawValue), "pad_token": .string(Mark.padding.rawValue),
            "additional_special_tokens": [.string(Mark.user.rawValue), .string(Mark.assistant.rawValue)],
            "add_prefix_space": true, "clean_up_tokenization_spaces": false,
            "model_max_length": .integer(TinyLlama.contextLength), "chat_template": .string(Self.chatTemplate),
        ]
    }
}
