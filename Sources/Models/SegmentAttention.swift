import Torch

/// Causal attention over the segments of one batch: a kernel of our own on the CPU, LibTorch's for runs of different lengths on a
/// device where it has one for the type and the rule, and the plain form elsewhere.
final class SegmentAttention {
    private let segments: [Segment]
    private var layout: FlashLayout?

    init(_ segments: [Segment]) { self.segments = segments }

    /// Queries `[tokens, heads, dimension]` over keys and values `[tokens, key-value heads, dimension]`.
    func callAsFunction(queries: Tensor, keys: Tensor, values: Tensor, rule: AttentionRule) -> Tensor {
        if queries.hasFlashAttention(rule) {
            let layout = layout ?? FlashLayout(segments, on: queries.device)
            self.layout = layout
            return Tensor.flashAttention(queries: queries, keys: keys, values: values, layout: layout, rule: rule)
        }
        let isFused = queries.device == .cpu && (queries.hasFusedLayers || !rule.isRestricted)
        return isFused
            ? Tensor.raggedAttention(queries: queries, keys: keys, values: values, segments: segments, rule: rule)
            : plainSegmentAttention(queries: queries, keys: keys, values: values, segments: segments, rule: rule)
    }
}

/// Causal attention written out, softmax(cap(q·kᵀ·scale) + mask)·v segment by segment: the oracle of the fused path.
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
        // Halves are widened: kernels too keep scores and shares in float32.
        func wide(_ part: Tensor) -> Tensor { part.dtype == .bfloat16 ? part.to(.float32) : part }
        func rows(_ flat: Tensor) -> Tensor {
            wide(Tensor.concatenated(sources.map { flat.narrowed(0, $0.range) })).transposed(0, 1).repeated(
                group,
                along: 0
            )
        }
        let (k, v) = (rows(keys), rows(values))
        let q = wide(queries.narrowed(0, segment.range)).transposed(0, 1)
        let scores = q.matmul(k.transposed(1, 2)) * rule.scale
        let capped = rule.softCap.map { scores.softCapped($0) } ?? scores
        let hidden = hiddenKeys(segment.length, of: k.size(1), rule, on: q.device)
        return capped.filled(where: hidden, with: -.infinity).softmax(-1).matmul(v).transposed(0, 1).to(queries.dtype)
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
