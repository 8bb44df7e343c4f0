/// The shape of a low-rank adapter: W·x becomes W·x + s·B·(A·x) with A `[r, inputs]` and B `[outputs, r]`.
///
/// s is α/r (Hu et al., arXiv 2106.09685, section 4.1), or α/√r where it is rank-stabilised (Kalajdzievski, arXiv 2312.03732,
/// theorem 3.2).
public struct AdapterSettings: Equatable, Sendable {
    /// r, the rank of the change of each weight.
    public var rank: Int
    /// α, what the change is multiplied by before it is divided by the rank or its root.
    public var alpha: Double
    /// The share of an adapter's inputs that training sets to zero.
    public var dropout: Double
    /// Names of adapted layers, or ends of their paths; `nil` is every linear layer of the decoder.
    public var targets: [String]?
    /// Whether s is α/√r.
    public var isRankStabilized: Bool

    /// The last names of the layers that can be adapted.
    public static let layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    /// The last names of those that are one matrix in some families' checkpoints, and are adapted as one.
    public static let fusedLayers = ["qkv_proj", "gate_up_proj"]

    /// An adapter of this shape.
    public init(
        rank: Int,
        alpha: Double,
        dropout: Double = 0,
        targets: [String]? = nil,
        isRankStabilized: Bool = false
    ) {
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
        self.isRankStabilized = isRankStabilized
    }

    /// s, what the product of both factors is multiplied by.
    public var scale: Double { alpha / (isRankStabilized ? Double(rank).squareRoot() : Double(rank)) }

    /// Whether a layer is adapted: a target is its path, or the end of it behind a point.
    func adapts(_ path: String) -> Bool {
        targets.map { $0.contains { path == $0 || path.hasSuffix("." + $0) } } ?? true
    }

    /// The inputs and outputs of every layer of a decoder that is adapted.
    public func layers(_ configuration: ModelConfiguration) -> [(inputs: Int, outputs: Int)] {
        let (hidden, inner) = (configuration.hiddenSize, configuration.intermediateSize)
        let (query, key) = (configuration.queryWidth, configuration.keyWidth)
        let separate = [
            "self_attn.q_proj": (hidden, query), "self_attn.k_proj": (hidden, key), "self_attn.v_proj": (hidden, key),
            "mlp.gate_proj": (hidden, inner), "mlp.up_proj": (hidden, inner),
        ]
        let fused = ["self_attn.qkv_proj": (hidden, query + 2 * key), "mlp.gate_up_proj": (hidden, 2 * inner)]
        let inputs = configuration.family.traits.isFused ? fused : separate
        let shapes = inputs.merging(["self_attn.o_proj": (query, hidden), "mlp.down_proj": (inner, hidden)]) { $1 }
        return (0..<configuration.layerCount).flatMap { index in
            shapes.filter { adapts("model.layers.\(index).\($0.key)") }.map { ($0.value.0, $0.value.1) }
        }
    }

    /// The elements of all its matrices on a decoder.
    public func parameterCount(_ configuration: ModelConfiguration) -> Int {
        layers(configuration).map { rank * ($0.inputs + $0.outputs) }.reduce(0, +)
    }
}
