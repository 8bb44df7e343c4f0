import Torch

/// Causal attention over segments: the fused path on the CPU, the plain one elsewhere.
func segmentAttention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    segments: [Segment],
    rule: AttentionRule
) -> Tensor {
    let isFused = queries.device == .cpu && (queries.hasFusedLayers || !rule.isRestricted)
    return isFused
        ? Tensor.raggedAttention(queries: queries, keys: keys, values: values, segments: segments, rule: rule)
        : plainSegmentAttention(queries: queries, keys: keys, values: values, segments: segments, rule: rule)
}

/// The same written out, softmax(cap(q·kᵀ·scale) + mask)·v segment by segment: the oracle of the fused path.
func plainSegmentAttention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    segments: [Segment],
    rule: AttentionRule
) -> Tensor {
    let group = queries.size(1) / keys.size(1)
    let outputs = segments.filter { $0.length > 0 }.map { segment in
        let sources = (segment.parent.map { [segments[$0]] } ?? []) + [segment]
        func rows(_ flat: Tensor) -> Tensor {
            Tensor.concatenated(sources.map { flat.narrowed(0, $0.range) }).transposed(0, 1).repeated(group, along: 0)
        }
        let (k, v) = (rows(keys), rows(values))
        let q = queries.narrowed(0, segment.range).transposed(0, 1)
        let scores = q.matmul(k.transposed(1, 2)) * rule.scale
        let capped = rule.softCap.map { scores.softCapped($0) } ?? scores
        let hidden = hiddenKeys(segment.length, of: k.size(1), rule, on: q.device)
        return capped.filled(where: hidden, with: -.infinity).softmax(-1).matmul(v).transposed(0, 1)
    }
    return Tensor.concatenated(outputs)
}

/// Which keys the last `queries` of `keys` tokens do not see, `[queries, keys]`: later ones, and those behind the window.
private func hiddenKeys(_ queries: Int, of keys: Int, _ rule: AttentionRule, on device: Device) -> Tensor {
    let ones = Tensor.full([queries, keys], 1, .float32, on: device)
    let future = ones.upperTriangle(keys - queries + 1)
    guard let window = rule.window else { return future.isGreater(than: 0) }
    let behind = ones - ones.upperTriangle(keys - queries + 1 - window)
    return (future + behind).isGreater(than: 0)
}
