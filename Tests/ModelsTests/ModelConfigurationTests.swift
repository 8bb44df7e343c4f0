import JSONText
import Testing

@testable import Models

@Suite("config.json")
struct ModelConfigurationTests {
    static let tiny: JSON = [
        "architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": [2, 7],
    ]

    private func changed(_ key: String, _ value: JSON) -> JSON {
        guard var object = Self.tiny.object else { return nil }
        object[key] = value
        return .object(object)
    }

    @Test("defaults are those of transformers")
    func defaults() throws {
        let configuration = try ModelConfiguration(Self.tiny, path: "config.json")
        #expect(configuration.headDimension == 4)
        #expect(configuration.rotaries[0].inverseFrequencies == [1, 0.01])
        #expect(configuration.endOfSequence == [2, 7])
        #expect(!configuration.tiesEmbeddings)
    }

    @Test("old and new spellings of rotary settings agree")
    func rotarySpellings() throws {
        let old = try ModelConfiguration(changed("rope_scaling", ["type": "linear", "factor": 4.0]), path: "c")
        let new = try ModelConfiguration(
            changed("rope_parameters", ["rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0]),
            path: "c"
        )
        #expect(old.rotaries[0] == new.rotaries[0])
        #expect(old.rotaries[0].inverseFrequencies == [0.25, 0.0025])
    }

    static let refused: [(key: String, value: JSON, name: String)] = [
        ("architectures", ["GPT2LMHeadModel"], "GPT2LMHeadModel"), ("vocab_size", 0, "vocab_size"),
        ("hidden_act", "gelu", "hidden_act"), ("num_key_value_heads", 3, "multiple"),
        ("rope_scaling", ["rope_type": "yarn", "factor": 2.0], "yarn"), ("head_dim", 5, "head_dim"),
        ("attention_dropout", 0.1, "attention_dropout"), ("vocab_size", "many", "vocab_size"),
    ]

    @Test("what cannot be obeyed is refused by name", arguments: refused)
    func refusals(key: String, value: JSON, name: String) {
        let error = #expect(throws: ModelError.self) {
            try ModelConfiguration(changed(key, value), path: "config.json")
        }
        #expect(error?.description.contains(name) == true)
    }
}
