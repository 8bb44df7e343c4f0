import Torch

/// A decoder layer for one new token a row on the CPU, in five calls: three products, with the norms before them, the gate between
/// them and the residual stream behind them, and attention with what is done to heads first.
///
/// With few rows the time between kernels counts as much as the kernels. ``DecoderLayer`` is the oracle: equal bit for bit but for
/// sums of the stream, which are rounded once in bfloat16, not twice, and of products deeper than 640 take in parts.
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
            let attentionOutput = attention.output.packed,
            let feedForwardInputs = feedForward.inputs.packed, feedForward.inputs.additions.allSatisfy(\.isEmpty),
            let down = feedForward.down.packed
        else { return nil }
        let (starts, widths) = (attention.inputs.starts, attention.inputs.widths)
        var heads = ProjectedHeads(queryWidth: widths[0], keyColumn: starts[1], valueColumn: starts[2])
        if let queryNorm = attention.queryNorm, let keyNorm = attention.keyNorm {
            guard queryNorm.width == attention.headDimension, keyNorm.width == attention.headDimension else {
                return nil
            }
            (heads.queryNorm, heads.keyNorm) = (queryNorm.rowNorm, keyNorm.rowNorm)
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
    fileprivate var packed: PackedWeight? {
        guard additions.isEmpty, case .packed(let packed) = weight else { return nil }
        return packed
    }
}

extension LinearGroup {
    /// The biases of all layers at the columns of their products, zeros between them; nil where no layer has one.
    fileprivate var joinedBias: Tensor? {
        let biases = additions.compactMap(\.bias)
        guard let packed, let first = biases.first else { return nil }
        let joined = Tensor.zeros([packed.outputs], first.dtype)
        for (bias, start) in zip(biases, additions.count == starts.count ? starts : [0]) {
            joined.narrowed(0, start..<start + bias.count).copy(from: bias)
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
