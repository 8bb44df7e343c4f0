import CLibTorch

/// LibTorch's attention over runs of different lengths.
private enum Operators {
    static let flash = Operator("_flash_attention_forward")
}

/// Where the segments of a batch lie for LibTorch's attention over runs of different lengths, on their device; made once a batch.
public struct FlashLayout {
    /// Where each segment's queries start, and where the last end, int32.
    let queryStarts: Tensor
    /// The same of the keys that it sees: its own, and its parent's before them.
    let keyStarts: Tensor
    /// The keys' tokens, where some are seen by several segments; nil where keys lie as queries do.
    let keyTokens: Tensor?
    let longestQuery, longestKey: Int

    /// The layout of segments that follow each other and fill a batch.
    public init(_ all: [Segment], on device: Device) {
        let segments = all.filter { $0.length > 0 }
        let parents = segments.map { $0.parent.map { all[$0] } }
        var (queries, keys, tokens) = ([0], [0], [Int]())
        var (longestQuery, longestKey) = (0, 0)
        for (segment, parent) in zip(segments, parents) {
            let seen = segment.length + (parent?.length ?? 0)
            queries.append(queries[queries.count - 1] + segment.length)
            keys.append(keys[keys.count - 1] + seen)
            longestQuery = max(longestQuery, segment.length)
            longestKey = max(longestKey, seen)
            if let parent { tokens += Array(parent.range) }
            tokens += Array(segment.range)
        }
        queryStarts = Tensor(queries).to(device).to(.int32)
        keyStarts = Tensor(keys).to(device).to(.int32)
        keyTokens = parents.contains { $0 != nil } ? Tensor(tokens).to(device) : nil
        (self.longestQuery, self.longestKey) = (longestQuery, longestKey)
    }
}

extension Tensor {
    /// Whether LibTorch has that attention for queries like these `[tokens, heads, dimension]`: not before compute capability 8.0.
    public func hasFlashAttention(_ rule: AttentionRule) -> Bool {
        guard case .cuda(let index) = device, dtype == .bfloat16, rule.softCap == nil else { return false }
        return size(2) % 8 == 0 && size(2) <= 256 && libtorch.pointee.cuda_capability(Int32(index)) >= 80
    }

    /// Causal attention inside each segment and to the whole of its parent (Dao, arXiv 2307.08691), the last query of a segment
    /// seeing all of its keys.
    ///
    /// - Parameters:
    ///   - queries: `[tokens, heads, dimension]`, bfloat16 on a CUDA device, as `hasFlashAttention` asks
    ///   - keys, values: `[tokens, key-value heads, dimension]`
    /// - Returns: `[tokens, heads, dimension]`
    public static func flashAttention(
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        layout: FlashLayout,
        rule: AttentionRule
    ) -> Tensor {
        func seen(_ flat: Tensor) -> Tensor {
            guard let tokens = layout.keyTokens else { return flat }
            // A parent's gradient is the sum of its children's: in float32, since there may be many.
            return flat.requiresGradient ? flat.to(.float32).taking(0, tokens).to(flat.dtype) : flat.taking(0, tokens)
        }
        return Operators.flash.first(
            of: 5,
            queries,
            seen(keys),
            seen(values),
            Optional(layout.queryStarts),
            Optional(layout.keyStarts),
            layout.longestQuery,
            layout.longestKey,
            0.0,
            true,
            false,
            Optional(rule.scale),
            rule.window.map { $0 - 1 },
            rule.window.map { _ in 0 }
        )
    }
}
