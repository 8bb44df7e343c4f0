import Torch

/// A decoder layer for one new token a row on the CPU in five calls, one more where there are biases: four products, with the norms
/// before them, the gate between them and the residual stream behind them, and attention with what is done to heads on their way.
///
/// With few rows the time between kernels counts as much as the kernels. ``DecoderLayer`` is the oracle: equal bit for bit, but that
/// a sum of the stream is rounded once in bfloat16, not twice, and that in float32 a product deeper than 640 is added in parts.
struct DecodingLayer {
    private let attentionNorm, feedForwardNorm: RowNorm
    private let attentionInputs, attentionOutput, feedForwardInputs, down: PackedWeight
    /// What is added to the columns of queries, keys and values.
    private let bias: Tensor?
    private let heads: ProjectedHeads
    private let activation: Activation

    /// The layer in this form, where it has one: packed weights on the CPU without adapters, norms before attention and feed-forward
    /// alone, those of queries and keys over heads, and no biases but theirs.
    init?(_ layer: DecoderLayer) {
        let (attention, feedForward) = (layer.attention, layer.feedForward)
        guard layer.attendedNorm == nil, layer.updateNorm == nil, layer.residualFactor == 1,
            let attentionNorm = layer.attentionNorm?.rowNorm, let feedForwardNorm = layer.feedForwardNorm?.rowNorm,
            let attentionInputs = attention.inputs.packed, attentionInputs.isOnCPU,
            attention.inputs.additions.allSatisfy({ $0.adapter == nil }),
            let feedForwardInputs = feedForward.inputs.packed, feedForward.inputs.additions.allSatisfy(\.isEmpty),
            let attentionOutput = attention.output.packedAlone, let down = feedForward.down.packedAlone
        else { return nil }
        let (starts, widths) = (attention.inputs.starts, attention.inputs.widths)
        var heads = ProjectedHeads(queryWidth: widths[0], keyColumn: starts[1], valueColumn: starts[2])
        if attention.queryNorm != nil || attention.keyNorm != nil {
            guard let queryNorm = attention.queryNorm, let keyNorm = attention.keyNorm,
                queryNorm.width == attention.headDimension, keyNorm.width == attention.headDimension,
                let queries = queryNorm.rowNorm, let keys = keyNorm.rowNorm
            else { return nil }
            (heads.queryNorm, heads.keyNorm) = (queries, keys)
        }
        self.attentionNorm = attentionNorm
        self.feedForwardNorm = feedForwardNorm
        self.attentionInputs = attentionInputs
        self.attentionOutput = attentionOutput
        self.feedForwardInputs = feedForwardInputs
        self.down = down
        self.heads = heads
        bias = attention.inputs.joinedBias
        activation = feedForward.activation
    }

    /// Takes the residual stream `[rows, hidden]` behind this layer, in place.
    ///
    /// - Parameter attend: attention of rows that hold queries, keys and values
    func callAsFunction(_ stream: Tensor, _ table: RotaryTable?, attend: (Tensor, ProjectedHeads) -> Tensor) {
        var heads = heads
        heads.table = table.map { ($0.cosine, $0.sine) }
        let product = attentionInputs(stream, normalizedBy: attentionNorm)
        let attended = attend(bias.map { product + $0 } ?? product, heads)
        attentionOutput.add(attended, to: stream)
        down.add(feedForwardInputs.gatedUnit(stream, normalizedBy: feedForwardNorm, by: activation), to: stream)
    }
}

extension Linear {
    /// Its packed weight, where it is its product alone.
    fileprivate var packedAlone: PackedWeight? {
        guard additions.isEmpty, case .packed(let packed) = weight else { return nil }
        return packed
    }
}

extension LinearGroup {
    /// The biases of all layers at the columns of their products, zeros between them; nil where no layer has one.
    fileprivate var joinedBias: Tensor? {
        guard let packed, let type = additions.compactMap(\.bias).first?.dtype else { return nil }
        let joined = Tensor.zeros([packed.outputs], type)
        for (addition, start) in zip(additions, starts) {
            addition.bias.map { joined.narrowed(0, start..<start + $0.count).copy(from: $0) }
        }
        return joined
    }
}

extension RootMeanSquareNorm {
    /// The norm as sampling computes it together with what comes behind it; nil where its weight is of another type.
    fileprivate var rowNorm: RowNorm? {
        kernelWeight.dtype == .float32 ? RowNorm(kernelWeight, epsilon: epsilon, addsOne: addsOne) : nil
    }
}
