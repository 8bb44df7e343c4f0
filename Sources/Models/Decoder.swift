import Torch

/// How one layer's queries look at keys and values: ragged segments, a cache being filled, or a cache being read.
///
/// Takes the layer's number, queries `[tokens, heads, dimension]`, keys and values `[tokens, key-value heads, dimension]`
/// after rotation, and returns `[tokens, heads, dimension]`.
typealias Attention = (_ layer: Int, _ queries: Tensor, _ keys: Tensor, _ values: Tensor) -> Tensor

/// The transformer from token ids to final hidden states, without a head.
public struct Decoder {
    /// What `config.json` says of it.
    public let configuration: ModelConfiguration
    /// The vectors of the ids, `[vocabulary, hidden]`.
    let embedding: Tensor
    let layers: [DecoderLayer]
    let norm: RootMeanSquareNorm
    /// What drops the inputs of an adapter in training.
    private let dropout: AdapterDropout?

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        self.configuration = configuration
        dropout = scope.store.adapter?.dropout
        embedding = try (scope / "embed_tokens").parameter(
            "weight",
            [configuration.vocabularySize, configuration.hiddenSize],
            .matrix
        )
        layers = try (0..<configuration.layerCount).map { try DecoderLayer(configuration, scope / "layers" / $0) }
        norm = try RootMeanSquareNorm(configuration, scope / "norm")
    }

    /// Final hidden states `[tokens, hidden]` of flat tokens `[tokens]` at positions `[tokens]`, in `dtype`.
    func callAsFunction(
        _ tokens: Tensor,
        positions: Tensor,
        dtype: DType,
        checkpointing: Bool = false,
        attention: @escaping Attention
    ) -> Tensor {
        let table = RotaryTable(configuration.rotary, positions: positions, dtype: dtype)
        var hidden = Tensor.embedding(embedding, tokens).to(dtype)
        let pass = dropout?.nextPass()
        for (index, layer) in layers.enumerated() {
            let body = { [dropout] (input: Tensor) in
                // Here and not once before the layers: a checkpointed body runs again, after other passes perhaps.
                dropout?.pass = pass
                return layer(input, table) { attention(index, $0, $1, $2) }
            }
            hidden = checkpointing ? checkpointed(hidden, body) : body(hidden)
        }
        return norm(hidden)
    }
}

/// Attention and feed-forward, each after a norm and added to the residual stream.
struct DecoderLayer {
    let attentionNorm: RootMeanSquareNorm
    let attention: SelfAttention
    let feedForwardNorm: RootMeanSquareNorm
    let feedForward: FeedForward

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        attention = try SelfAttention(configuration, scope / "self_attn")
        feedForward = try FeedForward(configuration, scope / "mlp")
        attentionNorm = try RootMeanSquareNorm(configuration, scope / "input_layernorm")
        feedForwardNorm = try RootMeanSquareNorm(configuration, scope / "post_attention_layernorm")
    }

    func callAsFunction(
        _ input: Tensor,
        _ table: RotaryTable,
        attend: (Tensor, Tensor, Tensor) -> Tensor
    ) -> Tensor {
        let attended = attention(attentionNorm(input), table, attend: attend)
        let (middle, normalized) = feedForwardNorm(input, adding: attended)
        return middle + feedForward(normalized)
    }
}

/// Multi-head, grouped-query or multi-query attention with rotary positions.
struct SelfAttention {
    let query, key, value, output: Linear
    let headDimension: Int

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        let (hidden, bias) = (configuration.hiddenSize, configuration.attentionBias)
        headDimension = configuration.headDimension
        let queryWidth = configuration.headCount * headDimension
        let keyWidth = configuration.keyValueHeadCount * headDimension
        query = try Linear(scope / "q_proj", from: hidden, to: queryWidth, bias: bias)
        key = try Linear(scope / "k_proj", from: hidden, to: keyWidth, bias: bias)
        value = try Linear(scope / "v_proj", from: hidden, to: keyWidth, bias: bias)
        output = try Linear(scope / "o_proj", from: queryWidth, to: hidden, bias: bias)
    }

    func callAsFunction(_ input: Tensor, _ table: RotaryTable, attend: (Tensor, Tensor, Tensor) -> Tensor) -> Tensor {
        let tokens = input.size(0)
        func heads(_ projected: Tensor) -> Tensor { projected.reshaped([tokens, -1, headDimension]) }
        let attended = attend(table(heads(query(input))), table(heads(key(input))), heads(value(input)))
        return output(attended.reshaped([tokens, -1]))
    }
}

/// SwiGLU: down(silu(gate(x)) · up(x)) (Shazeer, arXiv 2002.05202).
struct FeedForward {
    let gate, up, down: Linear

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let bias = configuration.feedForwardBias
        gate = try Linear(scope / "gate_proj", from: hidden, to: inner, bias: bias)
        up = try Linear(scope / "up_proj", from: hidden, to: inner, bias: bias)
        down = try Linear(scope / "down_proj", from: inner, to: hidden, bias: bias)
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
        down(input.hasFusedLayers ? gate(input).gating(up(input)) : Self.plain(gate: gate(input), up: up(input)))
    }

    /// silu(gate) · up from elementwise operators: the oracle of the fused path, and the path of other devices.
    static func plain(gate: Tensor, up: Tensor) -> Tensor { gate.silu() * up }
}

/// x / √(mean(x²) + ε) · w, the statistics in float32 (Zhang and Sennrich, arXiv 1910.07467).
struct RootMeanSquareNorm {
    let weight: Tensor
    let epsilon: Double

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        weight = try scope.parameter("weight", [configuration.hiddenSize], .norm)
        epsilon = configuration.normEpsilon
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
        input.hasFusedLayers ? input.rootMeanSquareNorm(weight, epsilon: epsilon) : plain(input)
    }

    /// The residual stream after an update, and its norm.
    func callAsFunction(_ input: Tensor, adding update: Tensor) -> (sum: Tensor, normalized: Tensor) {
        if input.hasFusedLayers { return input.adding(update, normalizedBy: weight, epsilon: epsilon) }
        let sum = input + update
        return (sum, plain(sum))
    }

    /// The same from elementwise operators: the oracle of the fused path, and the path of other devices.
    func plain(_ input: Tensor) -> Tensor {
        let wide = input.dtype == .float64 ? input : input.to(.float32)
        let scale = (wide.squared().mean(-1, keepingAxis: true) + epsilon).reciprocalSquareRoot()
        return weight.to(input.dtype) * (wide * scale).to(input.dtype)
    }
}
