import Foundation
import JSONText
import Torch

/// What `config.json` says of a decoder: its shape and the differences between families, as data.
public struct ModelConfiguration: Sendable {
    /// Which family it is of.
    public let family: ModelFamily
    /// The number of rows of the embedding.
    public let vocabularySize: Int
    /// The width of the residual stream.
    public let hiddenSize: Int
    /// The width of the feed-forward layer.
    public let intermediateSize: Int
    /// The number of query heads.
    public let headCount: Int
    /// The number of key-value heads, a divisor of `headCount`.
    public let keyValueHeadCount: Int
    /// The width of a head.
    public let headDimension: Int
    /// ε of the root-mean-square norms.
    public let normEpsilon: Double
    /// What distinguishes one layer's attention from another's.
    public let layers: [LayerConfiguration]
    /// How positions turn queries and keys: what the layers choose from.
    public let rotaries: [RotaryConfiguration]
    /// What a feed-forward layer's gate goes through.
    public let activation: Activation
    /// Factors and caps between the parts.
    public let factors: Factors
    /// Whether the head is the embedding.
    public let tiesEmbeddings: Bool
    /// Whether the projections to queries, keys and values have biases.
    public let queryKeyValueBias: Bool
    /// Whether the projection of what attention returns has a bias.
    public let attentionOutputBias: Bool
    /// Whether the three projections of the feed-forward layer have biases.
    public let feedForwardBias: Bool
    /// The deviation of fresh weights.
    public let initializerRange: Double
    /// What the reward model's scores are normalised by, where the file holds them.
    public var rewardStatistics: (mean: Double, deviation: Double)?
    /// Ids that end a sequence.
    public let endOfSequence: [Int]
    /// The file as it was read, to be written back with what training changes.
    public let source: JSONObject

    /// The number of decoder layers.
    public var layerCount: Int { layers.count }

    /// The sum of all query heads' widths.
    public var queryWidth: Int { headCount * headDimension }
    /// The sum of all key-value heads' widths.
    public var keyWidth: Int { keyValueHeadCount * headDimension }

    /// How many norms of the residual stream's width a layer has.
    public var normsPerLayer: Int { family.traits.norms == .around ? 4 : 2 }

    /// Whether what attention and the feed-forward layer return is normalised before it joins the residual stream.
    public var normalizesUpdates: Bool { family.traits.norms != .before }

    /// Whether queries, keys and values are one projection, and so are gate and up.
    public var isFused: Bool { family.traits.isFused }

    /// The number of weights in a layer's norms of queries and keys.
    public var queryKeyNormWidth: Int {
        switch family.traits.queryKeyNorm {
        case nil: 0
        case .head: 2 * headDimension
        case .width: queryWidth + keyWidth
        }
    }

    /// Whether the file describes a reward model.
    public var isRewardModel: Bool {
        let names = source["architectures"]?.array?.compactMap(\.string) ?? []
        return names.contains { $0 == family.rewardArchitecture || $0 == ModelFamily.openRLHFArchitecture }
    }

    /// How the queries of a layer look at its keys.
    func attentionRule(_ layer: Int) -> AttentionRule {
        AttentionRule(scale: factors.attention, window: layers[layer].window, softCap: factors.attentionCap)
    }

    /// Reads `config.json` of a model directory.
    ///
    /// - Throws: `ModelError` for a missing or malformed file, an unknown architecture and settings that no code here obeys.
    public init(directory: URL) throws(ModelError) { try self.init(ModelPlace(directory)) }

    /// Reads `config.json` of a model; an adapter of a reward model has one of its own.
    public init(_ place: ModelPlace) throws(ModelError) {
        let url = place.file("config.json") ?? place.directory.appending(path: "config.json")
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw FileManager.default.fileExists(atPath: url.path)
                ? ModelError(url.path, "the file cannot be read; are you allowed to?")
                : ModelError(url.path, "there is no such file; a model is a Hugging Face directory with a config.json")
        }
        do {
            try self.init(JSON(parsing: [UInt8](data)), path: url.path)
        } catch let error as JSONError {
            throw ModelError(url.path, "\(error)")
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(url.path, "\(error)")
        }
    }

    /// Takes the settings from the parsed file.
    public init(_ json: JSON, path: String) throws(ModelError) {
        guard let object = json.object else { throw ModelError(path, "is \(json.kind), not an object") }
        family = try ModelFamily(ConfigurationFields(object, path: path))
        let traits = family.traits
        let fields = ConfigurationFields(object, path: path).filled(traits.defaults)
        source = object
        vocabularySize = try fields.size("vocab_size")
        hiddenSize = try fields.size("hidden_size")
        intermediateSize = try fields.size("intermediate_size")
        headCount = try fields.size("num_attention_heads")
        keyValueHeadCount = try fields.size("num_key_value_heads", default: headCount)
        guard headCount % keyValueHeadCount == 0 else {
            throw ModelError(
                path,
                "num_attention_heads \(headCount) is no multiple of num_key_value_heads \(keyValueHeadCount)"
            )
        }
        headDimension = try Self.headDimension(fields, hiddenSize: hiddenSize, headCount: headCount)
        normEpsilon = try fields.positive("rms_norm_eps", default: 1e-6)
        (layers, rotaries) = try LayerConfiguration.all(fields, traits, headDimension: headDimension)
        activation = try Self.activation(fields, traits)
        factors = try Factors(fields, traits, hiddenSize: hiddenSize, headDimension: headDimension)
        tiesEmbeddings = try fields.flag("tie_word_embeddings", default: false)
        let hasConfiguredBias =
            traits.biases == .configured ? try fields.flag("attention_bias", default: false) : false
        queryKeyValueBias = traits.biases == .queryKeyValue || hasConfiguredBias
        attentionOutputBias = hasConfiguredBias
        feedForwardBias = traits.readsFeedForwardBias ? try fields.flag("mlp_bias", default: false) : false
        initializerRange = try fields.positive("initializer_range", default: 0.02)
        endOfSequence = try fields.ids("eos_token_id")
        if object["mean"] != nil || object["std"] != nil {
            rewardStatistics = (try fields.number("mean"), try fields.positive("std", default: nil))
        }
        try Self.refuse(fields)
    }

    private static func headDimension(
        _ fields: ConfigurationFields,
        hiddenSize: Int,
        headCount: Int
    ) throws(ModelError) -> Int {
        guard fields.has("head_dim") || hiddenSize % headCount == 0 else {
            throw ModelError(
                fields.path,
                "hidden_size \(hiddenSize) is no multiple of num_attention_heads \(headCount), and there is no head_dim"
            )
        }
        let dimension = try fields.size("head_dim", default: hiddenSize / headCount, atMost: 1 << 16)
        guard dimension % 2 == 0 else { throw ModelError(fields.path, "head_dim \(dimension) is odd") }
        return dimension
    }

    private static func activation(
        _ fields: ConfigurationFields,
        _ traits: ModelFamily.Traits
    ) throws(ModelError) -> Activation {
        let key = fields.has("hidden_activation") ? "hidden_activation" : "hidden_act"
        let expected = traits.isGemma ? "gelu_pytorch_tanh" : "silu"
        let name = try fields.text(key) ?? expected
        // Gemma's first files say "gelu" and mean its tanh form, which transformers knows.
        guard name == expected || (traits.isGemma && name == "gelu" && key == "hidden_act") else {
            throw ModelError(
                fields.path,
                "\(key) is \"\(name)\", supported for \(traits.name) is \"\(expected)\""
            )
        }
        return traits.isGemma ? .geluTanh : .silu
    }

    /// Refuses what training here would not do.
    private static func refuse(_ fields: ConfigurationFields) throws(ModelError) {
        for key in ["attention_dropout", "resid_pdrop", "embd_pdrop"] {
            let dropout = try fields.number(key, default: 0)
            guard dropout == 0 else {
                throw ModelError(
                    fields.path,
                    "\(key) is \(dropout); training without dropout is supported, set it to 0"
                )
            }
        }
        guard try !fields.flag("use_bidirectional_attention", default: false) else {
            throw ModelError(fields.path, "use_bidirectional_attention is true; only causal attention is supported")
        }
    }
}

extension ModelConfiguration {
    /// Factors and caps between the parts of a decoder; 1 and nil where a family has none.
    public struct Factors: Sendable, Equatable {
        /// What embeddings are multiplied by.
        public let embedding: Double
        /// What attention and the feed-forward layer add to the residual stream is multiplied by.
        public let residual: Double
        /// What products of queries and keys are multiplied by.
        public let attention: Double
        /// c of the scores' c · tanh(score / c).
        public let attentionCap: Double?
        /// What the final hidden states are multiplied by before the vocabulary head.
        public let head: Double
        /// c of the logits' c · tanh(logit / c).
        public let logitCap: Double?

        init(
            _ fields: ConfigurationFields,
            _ traits: ModelFamily.Traits,
            hiddenSize: Int,
            headDimension: Int
        ) throws(ModelError) {
            func cap(_ key: String) throws(ModelError) -> Double? {
                traits.isGemma && fields.has(key) ? try fields.positive(key, default: nil) : nil
            }
            let width =
                try traits.isGemma ? fields.positive("query_pre_attn_scalar", default: Double(headDimension)) : nil
            let scale = 1 / (width ?? Double(headDimension)).squareRoot()
            let factor = { (key: String) throws(ModelError) -> Double in
                traits.hasMultipliers ? try fields.positive(key, default: 1) : 1
            }
            embedding = traits.isGemma ? Double(hiddenSize).squareRoot() : try factor("embedding_multiplier")
            residual = try factor("residual_multiplier")
            attention = traits.hasMultipliers ? try factor("attention_multiplier") : scale
            head = 1 / (try factor("logits_scaling"))
            attentionCap = try cap("attn_logit_softcapping")
            logitCap = try cap("final_logit_softcapping")
        }
    }
}
