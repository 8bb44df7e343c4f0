import JSONText

/// A family of decoders by its `model_type`: what its equations and names are where `config.json` does not say.
///
/// All are one decoder; a family is a value of `Traits`. See the article "Adding a model".
public enum ModelFamily: String, CaseIterable, Sendable {
    case llama, mistral, qwen2, qwen3, gemma, gemma2
    case gemma3 = "gemma3_text"
    case phi3, granite, olmo2, smollm3

    var traits: Traits {
        switch self {
        case .llama: Traits(name: "Llama", readsFeedForwardBias: true)
        case .mistral:
            Traits(
                name: "Mistral",
                biases: .none,
                windows: .everywhere,
                defaults: ["sliding_window": 4096, "num_key_value_heads": 8]
            )
        case .qwen2:
            Traits(
                name: "Qwen2",
                biases: .queryKeyValue,
                windows: .fromLayer,
                readsLayerTypes: true,
                defaults: Self.qwenDefaults
            )
        case .qwen3:
            Traits(
                name: "Qwen3",
                queryKeyNorm: .head,
                windows: .fromLayer,
                readsLayerTypes: true,
                defaults: Self.qwenDefaults.merging(["head_dim": 128]) { $1 }
            )
        case .gemma: Traits(name: "Gemma", isGemma: true, defaults: Self.gemmaDefaults(["num_key_value_heads": 16]))
        case .gemma2:
            Traits(
                name: "Gemma2",
                norms: .around,
                isGemma: true,
                windows: .allButEvery(2),
                readsLayerTypes: true,
                defaults: Self.gemmaDefaults([
                    "num_key_value_heads": 4, "query_pre_attn_scalar": 256, "sliding_window": 4096,
                    "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
                ])
            )
        case .gemma3:
            Traits(
                name: "Gemma3",
                classifier: "Gemma3TextForSequenceClassification",
                norms: .around,
                isGemma: true,
                queryKeyNorm: .head,
                windows: .allButEvery(6),
                readsLayerTypes: true,
                hasLocalRotary: true,
                defaults: Self.gemmaDefaults([
                    "num_key_value_heads": 4, "query_pre_attn_scalar": 256, "sliding_window": 4096,
                    "rope_theta": 1_000_000.0, "rope_local_base_freq": 10_000.0,
                ])
            )
        case .phi3:
            Traits(
                name: "Phi3",
                biases: .none,
                isFused: true,
                windows: .everywhere,
                readsPartialRotary: true,
                defaults: ["rms_norm_eps": 1e-5]
            )
        case .granite: Traits(name: "Granite", readsFeedForwardBias: true, hasMultipliers: true)
        case .olmo2: Traits(name: "Olmo2", norms: .after, queryKeyNorm: .width, defaults: ["rms_norm_eps": 1e-5])
        case .smollm3:
            Traits(
                name: "SmolLM3",
                readsFeedForwardBias: true,
                readsLayerTypes: true,
                skipsRotary: true,
                defaults: [
                    "num_key_value_heads": 4, "rope_theta": 2_000_000.0, "tie_word_embeddings": true,
                    "no_rope_layer_interval": 4,
                ]
            )
        }
    }

    private static let qwenDefaults: [String: JSON] = [
        "num_key_value_heads": 32, "sliding_window": 4096, "max_window_layers": 28,
    ]

    private static func gemmaDefaults(_ others: [String: JSON]) -> [String: JSON] {
        let shared: [String: JSON] = ["head_dim": 256, "tie_word_embeddings": true]
        return shared.merging(others) { $1 }
    }

    /// The class that transformers names for a language model of the family.
    var causalArchitecture: String { traits.name + "ForCausalLM" }
    /// The class that transformers names for a reward model of the family.
    var rewardArchitecture: String { traits.classifier ?? traits.name + "ForSequenceClassification" }
    /// OpenRLHF's name for a reward model of any family.
    static let openRLHFArchitecture = "RewardModel"
}

extension ModelFamily {
    /// The family that a file names, by its `model_type` or else by its architecture.
    ///
    /// - Throws: `ModelError` naming what is not supported, and why.
    init(_ fields: ConfigurationFields) throws(ModelError) {
        let names = try fields.list("architectures", \.string) ?? []
        let type = try fields.text("model_type")
        try Self.refuseOthers(fields, name: type ?? names.first ?? "the model")
        guard type != nil || !names.isEmpty else {
            throw ModelError(fields.path, "names no architecture (\"model_type\" and \"architectures\" are missing)")
        }
        let family =
            type.map(ModelFamily.init(rawValue:))
            ?? Self.allCases.first { family in names.contains { family.architectures.contains($0) } }
        guard let family else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw ModelError(
                fields.path,
                "model_type \"\(type ?? names[0])\" is not supported; supported are \(known)"
            )
        }
        if let name = names.first, !family.architectures.contains(name) {
            let known = family.architectures.joined(separator: ", ")
            throw ModelError(
                fields.path,
                "architecture \"\(name)\" is not supported; supported for \(family.rawValue) are \(known)"
            )
        }
        self = family
    }

    private var architectures: [String] { [causalArchitecture, rewardArchitecture, Self.openRLHFArchitecture] }

    /// Refuses kinds of checkpoints of which no family here is.
    private static func refuseOthers(_ fields: ConfigurationFields, name: String) throws(ModelError) {
        if let quantization = fields.object["quantization_config"], !quantization.isNull {
            let method = quantization["quant_method"]?.string.map { " (\($0))" } ?? ""
            throw ModelError(
                fields.path,
                "the checkpoint is quantised\(method), which is not supported; use the original weights"
            )
        }
        for key in ["vision_config", "audio_config", "text_config"] where fields.has(key) {
            throw ModelError(
                fields.path,
                "\(name) is multimodal (\(key)), which is not supported; use a checkpoint of a text model"
            )
        }
        let experts = ["num_local_experts", "num_experts", "n_routed_experts"].first { fields.has($0) }
        if experts != nil || name.contains("moe") || name.contains("mixtral") {
            throw ModelError(
                fields.path,
                "\(name) is a mixture of experts, which is not supported; use a dense model"
            )
        }
    }

    /// Where a layer has norms.
    enum NormPlacement: Sendable {
        /// Before attention and before the feed-forward layer.
        case before
        /// Before and after each of them.
        case around
        /// After each of them.
        case after
    }

    /// What queries and keys are normalised over, before they are turned.
    enum QueryKeyNorm: Sendable { case head, width }

    /// Which projections of attention have biases.
    enum Biases: Sendable {
        case none, queryKeyValue
        /// All four where `attention_bias` says so.
        case configured
    }

    /// Which layers see a window only, where `layer_types` does not say.
    enum Windows: Sendable, Equatable {
        case none, everywhere
        /// Those from `max_window_layers` on where `use_sliding_window` says so.
        case fromLayer
        /// All but every n-th, or every `sliding_window_pattern`-th.
        case allButEvery(Int)
    }

    /// What distinguishes a family from Llama.
    struct Traits: Sendable {
        /// The beginning of its classes' names.
        let name: String
        /// The class of its reward models where that begins otherwise.
        var classifier: String?
        var norms = NormPlacement.before
        /// Norms multiply by 1 + weight, embeddings are scaled by √hidden, and the gate goes through gelu.
        var isGemma = false
        var queryKeyNorm: QueryKeyNorm?
        var biases = Biases.configured
        /// Whether `mlp_bias` is obeyed.
        var readsFeedForwardBias = false
        /// Whether queries, keys and values are one projection, and so are gate and up.
        var isFused = false
        var windows = Windows.none
        var readsLayerTypes = false
        /// Whether layers with a window turn by frequencies of their own.
        var hasLocalRotary = false
        /// Whether a part of each head only may be turned.
        var readsPartialRotary = false
        /// Whether some layers turn nothing.
        var skipsRotary = false
        /// Whether embeddings, residual updates, scores and logits have factors of their own.
        var hasMultipliers = false
        /// What stands for members that a file leaves out.
        var defaults: [String: JSON] = [:]
    }
}
