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
        ("rope_scaling", ["rope_type": "dynamic", "factor": 2.0], "dynamic"), ("head_dim", 5, "head_dim"),
        ("attention_dropout", 0.1, "attention_dropout"), ("vocab_size", "many", "vocab_size"),
        ("model_type", "gpt2", "gpt2"), ("model_type", "mistral", "LlamaForCausalLM"),
        ("num_attention_heads", 5, "no multiple"), ("rope_parameters", 3, "rope_parameters"),
        ("vision_config", [:], "multimodal"), ("text_config", ["model_type": "gemma3_text"], "multimodal"),
        ("num_local_experts", 8, "mixture of experts"), ("model_type", "qwen3_moe", "mixture of experts"),
        ("quantization_config", ["quant_method": "gptq"], "quantised (gptq)"),
    ]

    /// What some members make of a small file of a family.
    private func member(_ type: String, _ changes: [String: JSON]) throws -> ModelConfiguration {
        var object = Self.tiny.object ?? JSONObject()
        object["architectures"] = nil
        object["model_type"] = .string(type)
        for (key, value) in changes { object[key] = value }
        return try ModelConfiguration(.object(object), path: "config.json")
    }

    @Test("windows follow each family's rule where layer_types is silent")
    func windows() throws {
        func windows(_ type: String, _ changes: [String: JSON]) throws -> [Int?] {
            try member(type, changes.merging(["num_hidden_layers": 4, "head_dim": 4]) { $1 }).layers.map(\.window)
        }
        #expect(try windows("mistral", ["sliding_window": 9]) == [9, 9, 9, 9])
        #expect(try windows("mistral", ["sliding_window": nil]) == [nil, nil, nil, nil])
        #expect(try windows("qwen2", ["sliding_window": 9, "max_window_layers": 1]) == [nil, nil, nil, nil])
        let asked: [String: JSON] = ["sliding_window": 9, "max_window_layers": 3, "use_sliding_window": true]
        #expect(try windows("qwen2", asked) == [nil, nil, nil, 9])
        #expect(try windows("gemma2", ["sliding_window": 9]) == [9, nil, 9, nil])
        #expect(try windows("gemma3_text", ["sliding_window": 9, "sliding_window_pattern": 3]) == [9, 9, nil, 9])
        let types: JSON = ["full_attention", "full_attention", "sliding_attention", "full_attention"]
        #expect(try windows("gemma2", ["sliding_window": 9, "layer_types": types]) == [nil, nil, 9, nil])
    }

    @Test("Gemma 3's old and new files name the same frequencies")
    func localRotary() throws {
        let old = try member("gemma3_text", ["rope_theta": 5e5, "rope_local_base_freq": 100.0, "head_dim": 4])
        let parameters: JSON = [
            "full_attention": ["rope_type": "default", "rope_theta": 5e5],
            "sliding_attention": ["rope_type": "default", "rope_theta": 100.0],
        ]
        let new = try member("gemma3_text", ["rope_parameters": parameters, "head_dim": 4])
        #expect(old.rotaries == new.rotaries && old.rotaries[1].inverseFrequencies == [1, 0.1])
    }

    static let refusedOfFamilies: [(type: String, key: String, value: JSON, name: String)] = [
        ("gemma2", "layer_types", ["chunked_attention", "full_attention"], "chunked_attention"),
        ("gemma2", "layer_types", ["full_attention"], "1 entries for 2 layers"),
        ("gemma2", "hidden_activation", "relu", "hidden_activation is \"relu\""),
        ("gemma2", "final_logit_softcapping", -1.0, "final_logit_softcapping"),
        ("gemma3_text", "use_bidirectional_attention", true, "use_bidirectional_attention"),
        ("phi3", "rope_scaling", ["type": "longrope", "short_factor": [1.0], "long_factor": [1.0]], "longrope"),
        ("phi3", "partial_rotary_factor", 0.3, "partial_rotary_factor"), ("phi3", "resid_pdrop", 0.1, "resid_pdrop"),
        ("mistral", "sliding_window", 0, "sliding_window"), ("granite", "logits_scaling", 0.0, "logits_scaling"),
        ("smollm3", "no_rope_layers", [1], "no_rope_layers"),
        ("smollm3", "use_sliding_window", true, "layer_types does not say"),
    ]

    @Test("what a family's files cannot mean is refused by name", arguments: refusedOfFamilies)
    func familyRefusals(type: String, key: String, value: JSON, name: String) {
        let error = #expect(throws: ModelError.self) { try member(type, [key: value, "head_dim": 4]) }
        #expect(error?.description.contains(name) == true, "\(error?.description ?? "")")
    }

    @Test("what cannot be obeyed is refused by name", arguments: refused)
    func refusals(key: String, value: JSON, name: String) {
        let error = #expect(throws: ModelError.self) {
            try ModelConfiguration(changed(key, value), path: "config.json")
        }
        #expect(error?.description.contains(name) == true)
    }
}
