import JSONText

/// The size of one of the quickstart's models: a Llama decoder small enough to be trained in a minute on a CPU.
public struct TinyLlama: Sendable, Equatable {
    /// The width of the residual stream; a multiple of twice the number of heads, since rotary embeddings turn pairs.
    public var hiddenSize: Int
    /// The width of the gated feed-forward layers.
    public var intermediateSize: Int
    /// The number of decoder layers.
    public var layerCount: Int
    /// The number of attention heads.
    public var headCount: Int

    /// The longest sequence, in tokens; prompt and response together are well below it.
    public static let contextLength = 256

    /// The standard deviation of all initial weights, embeddings included.
    ///
    /// The usual 0.02 is made for wide models: at these widths it leaves the outputs near zero, and copying a value from the
    /// prompt is not learned within several hundred steps. 0.1 is about the inverse square root of the width.
    public static let initializerRange = 0.1

    /// A model of this size.
    public init(hiddenSize: Int, intermediateSize: Int, layerCount: Int, headCount: Int) {
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
    }

    /// The policy of the quickstart, from which the reward model and the critic start as well.
    public static let policy = TinyLlama(hiddenSize: 64, intermediateSize: 176, layerCount: 2, headCount: 4)

    /// The model's `config.json`, a `LlamaForCausalLM` with the marks of `WorldTokenizer`.
    public func configurationText(vocabularySize: Int = WorldTokenizer().vocabularySize) -> String {
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama",
            "vocab_size": .integer(vocabularySize), "hidden_size": .integer(hiddenSize),
            "intermediate_size": .integer(intermediateSize), "num_hidden_layers": .integer(layerCount),
            "num_attention_heads": .integer(headCount), "num_key_value_heads": .integer(headCount),
            "head_dim": .integer(hiddenSize / headCount), "hidden_act": "silu",
            "max_position_embeddings": .integer(Self.contextLength), "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
            "initializer_range": .number(Self.initializerRange), "tie_word_embeddings": false,
            "attention_bias": false, "mlp_bias": false, "attention_dropout": 0.0, "use_cache": true,
            "torch_dtype": "float32", "pad_token_id": .integer(WorldTokenizer.Mark.padding.id),
            "bos_token_id": .integer(WorldTokenizer.Mark.beginning.id),
            "eos_token_id": .integer(WorldTokenizer.Mark.end.id),
        ]
        return configuration.serialized(pretty: true) + "\n"
    }
}
