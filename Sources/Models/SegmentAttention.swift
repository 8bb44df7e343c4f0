import Torch

/// Causal attention over segments: the fused path on the CPU, the plain one elsewhere.
func segmentAttention(queries: Tensor, keys: Tensor, values: Tensor, segments: [Segment], scale: Double) -> Tensor {
    queries.device == .cpu
        ? Tensor.raggedAttention(queries: queries, keys: keys, values: values, segments: segments, scale: scale)
        : plainSegmentAttention(queries: queries, keys: keys, values: values, segments: segments, scale: scale)
}

/// The same written out, softmax(q·kᵀ·scale + mask)·v segment by segment: the oracle of the fused path.
func plainSegmentAttention(queries: Tensor, keys: Tensor, values: Tensor, segments: [Segment], scale: Double) -> Tensor
{
    let group = queries.size(1) / keys.size(1)
    let outputs = segments.filter { $0.length > 0 }.map { segment in
        let sources = (segment.parent.map { [segments[$0]] } ?? []) + [segment]
        func rows(_ flat: Tensor) -> Tensor {
            Tensor.concatenated(sources.map { flat.narrowed(0, $0.range) }).transposed(0, 1).repeated(group, along: 0)
        }
        let (k, v) = (rows(keys), rows(values))
        let q = queries.narrowed(0, segment.range).transposed(0, 1)
        let scores = q.matmul(k.transposed(1, 2)) * scale
        let future = Tensor.full([segment.length, k.size(1)], 1, .float32, on: q.device)
            .upperTriangle(k.size(1) - segment.length + 1).isGreater(than: 0)
        let weights = scores.filled(where: future, with: -.infinity).softmax(-1)
        return weights.matmul(v).transposed(0, 1)
    }
    return Tensor.concatenated(outputs)
}
