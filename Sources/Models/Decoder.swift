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
    /// The rotary frequencies where the model computes.
    private let frequencies: [Tensor]
    /// What drops the inputs of an adapter in training.
    private let dropout: AdapterDropout?
    /// The layers as they are sampled from, those that have such a form.
    private let decodingLayers: [DecodingLayer?]

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        self.configuration = configuration
        dropout = scope.store.adapter?.dropout
        embedding = try (scope / "embed_tokens").parameter(
            "weight",
            [configuration.vocabularySize, configuration.hiddenSize],
            .matrix
        )
        layers = try (0..<configuration.layerCount).map { try DecoderLayer(configuration, scope / "layers" / $0) }
        decodingLayers = layers.map(DecodingLayer.init)
        norm = try RootMeanSquareNorm(configuration, scope / "norm", width: configuration.hiddenSize)
        let device = embedding.device
        frequencies = configuration.rotaries.map { Tensor($0.inverseFrequencies).to(device) }
    }

    /// Final hidden states `[rows, hidden]` of flat tokens `[tokens]` at positions `[tokens]`, in `dtype`.
    ///
    /// - Parameter rows: the tokens whose states are wanted, every one's where nil. In the last layer the others end with attention:
    ///   they are keys and values for these.
    func callAsFunction(
        _ tokens: Tensor,
        positions: Tensor,
        rows: [Int]? = nil,
        dtype: DType,
        checkpointing: Bool = false,
        attention: @escaping Attention
    ) -> Tensor {
        let tables = tables(positions, dtype)
        var hidden = embedded(tokens, dtype)
        let pass = dropout?.nextPass()
        let rows = rows.map { Tensor($0).to(hidden.device) }
        for (index, layer) in layers.enumerated() {
            let table = configuration.layers[index].rotary.map { tables[$0] }
            let kept = index + 1 < layers.count ? nil : rows
            let body = { [dropout] (input: Tensor) in
                // Here and not once before the layers: a checkpointed body runs again, after other passes perhaps.
                dropout?.pass = pass
                return layer(input, table, keeping: kept) { attention(index, $0, $1, $2) }
            }
            hidden = checkpointing ? checkpointed(hidden, body) : body(hidden)
        }
        return norm(hidden)
    }

    /// Final hidden states `[rows, hidden]` of one new token a row at positions `[rows]`, which is added to the row's cached past.
    func newTokens(
        _ tokens: Tensor,
        positions: Tensor,
        dtype: DType,
        cache: KeyValueCache,
        rows: CacheRows
    ) -> Tensor {
        let tables = tables(positions, dtype)
        var hidden = embedded(tokens, dtype)
        dropout?.pass = nil
        for (index, layer) in layers.enumerated() {
            let table = configuration.layers[index].rotary.map { tables[$0] }
            let rule = configuration.attentionRule(index)
            if let layer = decodingLayers[index], cache.takesProjections {
                layer(hidden, table) { cache.attend(layer: index, projected: $0, heads: $1, rows: rows, rule: rule) }
            } else {
                hidden = layer(hidden, table) {
                    cache.attend(layer: index, queries: $0, keys: $1, values: $2, rows: rows, rule: rule)
                }
            }
        }
        return norm(hidden)
    }

    /// The tables that turn heads at positions, one for each configuration.
    private func tables(_ positions: Tensor, _ dtype: DType) -> [RotaryTable] {
        zip(configuration.rotaries, frequencies).map {
            RotaryTable(frequencies: $1, factor: $0.attentionFactor, positions: positions, dtype: dtype)
        }
    }

    /// The vectors of tokens, as the first layer takes them; memory of their own.
    private func embedded(_ tokens: Tensor, _ dtype: DType) -> Tensor {
        let vectors = Tensor.embedding(embedding, tokens).to(dtype)
        let scale = configuration.factors.embedding
        // Rounded to the type first, as the references do.
        return scale == 1 ? vectors : vectors * Tensor.full([1], scale, dtype, on: vectors.device)
    }
}

/// Attention and feed-forward, each added to the residual stream, with norms before, around or after them.
struct DecoderLayer {
    let attention: SelfAttention
    let feedForward: FeedForward
    let attentionNorm, attendedNorm, feedForwardNorm, updateNorm: RootMeanSquareNorm?
    let residualFactor: Double

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        attention = try SelfAttention(configuration, scope / "self_attn")
        feedForward = try FeedForward(configuration, scope / "mlp")
        residualFactor = configuration.factors.residual
        func norm(_ name: String) throws -> RootMeanSquareNorm {
            try RootMeanSquareNorm(configuration, scope / name, width: configuration.hiddenSize)
        }
        let placement = configuration.family.traits.norms
        attentionNorm = placement == .after ? nil : try norm("input_layernorm")
        attendedNorm = placement == .before ? nil : try norm("post_attention_layernorm")
        // What follows attention in Llama's files is what comes before the feed-forward layer.
        switch placement {
        case .before: feedForwardNorm = try norm("post_attention_layernorm")
        case .around: feedForwardNorm = try norm("pre_feedforward_layernorm")
        case .after: feedForwardNorm = nil
        }
        updateNorm = placement == .before ? nil : try norm("post_feedforward_layernorm")
    }

    /// The residual stream behind this layer of the tokens that are kept, all where nil.
    func callAsFunction(
        _ input: Tensor,
        _ table: RotaryTable?,
        keeping rows: Tensor? = nil,
        attend: (Tensor, Tensor, Tensor) -> Tensor
    ) -> Tensor {
        let attention = attention(attentionNorm?(input) ?? input, table) {
            let attended = attend($0, $1, $2)
            return rows.map { attended.taking(0, $0) } ?? attended
        }
        let attended = update(attention, attendedNorm)
        let input = rows.map { input.taking(0, $0) } ?? input
        guard let feedForwardNorm else {
            let middle = input + attended
            return middle + update(feedForward(middle), updateNorm)
        }
        let (middle, normalized) = feedForwardNorm(input, adding: attended)
        return middle + update(feedForward(normalized), updateNorm)
    }

    /// What is added to the residual stream.
    private func update(_ output: Tensor, _ norm: RootMeanSquareNorm?) -> Tensor {
        let normalized = norm?(output) ?? output
        return residualFactor == 1 ? normalized : normalized * residualFactor
    }
}

/// Multi-head, grouped-query or multi-query attention, queries and keys normalised where the family does, then turned by their
/// positions.
struct SelfAttention {
    let inputs: LinearGroup
    let output: Linear
    let queryNorm, keyNorm: RootMeanSquareNorm?
    let headDimension: Int

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        let (hidden, traits) = (configuration.hiddenSize, configuration.family.traits)
        let (queryWidth, keyWidth) = (configuration.queryWidth, configuration.keyWidth)
        headDimension = configuration.headDimension
        inputs = try LinearGroup(
            scope,
            traits.isFused ? ["qkv_proj"] : ["q_proj", "k_proj", "v_proj"],
            from: hidden,
            to: [queryWidth, keyWidth, keyWidth],
            bias: configuration.queryKeyValueBias
        )
        output = try Linear(scope / "o_proj", from: queryWidth, to: hidden, bias: configuration.attentionOutputBias)
        func norm(_ name: String, _ width: Int) throws -> RootMeanSquareNorm? {
            guard let over = traits.queryKeyNorm else { return nil }
            let width = over == .head ? configuration.headDimension : width
            return try RootMeanSquareNorm(configuration, scope / name, width: width)
        }
        queryNorm = try norm("q_norm", queryWidth)
        keyNorm = try norm("k_norm", keyWidth)
    }

    /// What is added to the stream, a row for each that `attend` returns.
    func callAsFunction(_ input: Tensor, _ table: RotaryTable?, attend: (Tensor, Tensor, Tensor) -> Tensor) -> Tensor {
        let tokens = input.size(0)
        func heads(_ projected: Tensor) -> Tensor { projected.reshaped([tokens, -1, headDimension]) }
        func turned(_ projected: Tensor, _ norm: RootMeanSquareNorm?) -> Tensor {
            let normalized = norm.map { $0(projected.reshaped([-1, $0.width])) } ?? projected
            return table?(heads(normalized)) ?? heads(normalized)
        }
        let projected = inputs(input)
        let attended = attend(turned(projected[0], queryNorm), turned(projected[1], keyNorm), heads(projected[2]))
        return output(attended.reshaped([attended.size(0), attended.size(1) * headDimension]))
    }
}

/// A gated unit: down(activation(gate(x)) · up(x)) (Shazeer, arXiv 2002.05202).
struct FeedForward {
    let inputs: LinearGroup
    let down: Linear
    let activation: Activation

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let bias = configuration.feedForwardBias
        activation = configuration.activation
        inputs = try LinearGroup(
            scope,
            configuration.family.traits.isFused ? ["gate_up_proj"] : ["gate_proj", "up_proj"],
            from: hidden,
            to: [inner, inner],
            bias: bias,
            isGatedUnit: true
        )
        down = try Linear(scope / "down_proj", from: inner, to: hidden, bias: bias)
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
        let parts = inputs(input)
        let isFused = input.hasFusedLayers
        return down(isFused ? parts[0].gating(parts[1], by: activation) : plain(gate: parts[0], up: parts[1]))
    }

    /// activation(gate) · up from elementwise operators: the oracle of the fused path, and the path of other types.
    func plain(gate: Tensor, up: Tensor) -> Tensor { activation(gate) * up }
}

/// x / √(mean(x²) + ε) · w, the statistics in float32 (Zhang and Sennrich, arXiv 1910.07467); Gemma's multiply by 1 + w.
struct RootMeanSquareNorm {
    let weight: Tensor
    /// The weight as the kernels read it: of a frozen model the same numbers in float32, made once.
    let kernelWeight: Tensor
    let epsilon: Double
    let addsOne: Bool

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope, width: Int) throws {
        weight = try scope.parameter("weight", [width], .norm)
        kernelWeight = weight.requiresGradient || weight.dtype == .float64 ? weight : weight.to(.float32)
        epsilon = configuration.normEpsilon
        addsOne = configuration.family.traits.isGemma
    }

    /// The number of columns that are normalised together.
    var width: Int { weight.size(0) }

    func callAsFunction(_ input: Tensor) -> Tensor {
        input.hasFusedLayers ? input.rootMeanSquareNorm(kernelWeight, epsilon: epsilon, addsOne: addsOne) : plain(input)
    }

    /// The residual stream after an update, and its norm.
    func callAsFunction(_ input: Tensor, adding update: Tensor) -> (sum: Tensor, normalized: Tensor) {
        if input.hasFusedLayers {
            return input.adding(update, normalizedBy: kernelWeight, epsilon: epsilon, addsOne: addsOne)
        }
        let sum = input + update
        return (sum, plain(sum))
    }

    /// The same from elementwise operators: the oracle of the fused path, and the path of other types.
    func plain(_ input: Tensor) -> Tensor {
        let wide = input.dtype == .float64 ? input : input.to(.float32)
        let scale = (wide.squared().mean(-1, keepingAxis: true) + epsilon).reciprocalSquareRoot()
        // One more than a weight is not rounded to the input's type before it is multiplied.
        return addsOne
            ? (wide * scale * (weight.to(wide.dtype) + 1)).to(input.dtype)
            : weight.to(input.dtype) * (wide * scale).to(input.dtype)
    }
}
