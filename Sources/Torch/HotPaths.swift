import CLibTorch

/// One run of consecutive tokens of a flat batch that attends to itself and, if it has one, to a parent run before it.
///
/// Chosen and rejected responses name their prompt as parent; so do the samples of one prompt. A parent has no parent.
public struct Segment: Sendable, Equatable {
    /// Index of the first token in the flat batch.
    public var start: Int
    /// Number of tokens.
    public var length: Int
    /// Index of the parent in the list of segments.
    public var parent: Int?

    /// A segment of `length` tokens from `start`.
    public init(start: Int, length: Int, parent: Int? = nil) {
        self.start = start
        self.length = length
        self.parent = parent
    }

    /// Indices of the tokens in the flat batch.
    public var range: Range<Int> { start..<start + length }
}

extension Tensor {
    /// Causal attention inside each segment and to the whole of its parent, as one node of the gradient graph.
    ///
    /// Runs LibTorch's flash kernel over each segment; shared prefixes are merged by their log-sum-exps, so a prompt is
    /// computed once however many responses follow it.
    /// - Parameters:
    ///   - queries: `[tokens, heads, dimension]`
    ///   - keys, values: `[tokens, key-value heads, dimension]`; heads is a multiple of key-value heads
    /// - Returns: `[tokens, heads, dimension]`
    public static func raggedAttention(
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        segments: [Segment],
        scale: Double
    ) -> Tensor {
        let tokens = queries.size(0)
        precondition(
            segments.allSatisfy { $0.start >= 0 && $0.start + $0.length <= tokens },
            "segments leave the batch"
        )
        precondition(
            segments.allSatisfy { $0.parent.map { segments[$0].parent == nil } ?? true },
            "a parent has a parent"
        )
        let triples = segments.flatMap { [Int64($0.start), Int64($0.length), Int64($0.parent ?? -1)] }
        return queries.handle.withPointer { q in
            keys.handle.withPointer { k in
                values.handle.withPointer { v in
                    let result = libtorch.pointee.ragged_attention(q, k, v, triples, Int64(segments.count), scale)
                    return Tensor(owning: unwrap(result, "raggedAttention"))
                }
            }
        }
    }

    /// Attention of one new token a row over the row's cached keys and values, to which the new ones are added first.
    ///
    /// - Parameters:
    ///   - queries: `[rows, heads, dimension]`
    ///   - keys, values: the new tokens', `[rows, key-value heads, dimension]`
    ///   - keyCache, valueCache: `[slots, capacity, key-value heads, dimension]`, changed in place
    ///   - slots: where each row lives in the caches
    ///   - lengths: how many tokens each row has cached already
    /// - Returns: `[rows, heads, dimension]`, without gradient
    public static func decodeAttention(
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        keyCache: Tensor,
        valueCache: Tensor,
        slots: [Int],
        lengths: [Int],
        scale: Double
    ) -> Tensor {
        precondition(slots.count == queries.size(0) && lengths.count == slots.count, "one slot and length a row")
        let (slots, lengths) = (slots.map(Int64.init), lengths.map(Int64.init))
        return withExtendedLifetime((queries, keys, values, keyCache, valueCache)) {
            let result = libtorch.pointee.decode_attention(
                queries.handle.pointer,
                keys.handle.pointer,
                values.handle.pointer,
                keyCache.handle.pointer,
                valueCache.handle.pointer,
                slots,
                lengths,
                scale
            )
            return Tensor(owning: unwrap(result, "decodeAttention"))
        }
    }

    /// log softmax(hidden · weightᵀ / temperature) at each row's target, in float32 (float64 for float64 input).
    ///
    /// Never holds more than `chunkRows` rows of logits; the backward pass computes each chunk again.
    /// - Parameters:
    ///   - hidden: `[tokens, hidden]`
    ///   - weight: `[vocabulary, hidden]`
    ///   - targets: `[tokens]`, int64
    /// - Returns: `[tokens]`
    public static func tokenLogProbabilities(
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        temperature: Double = 1,
        chunkRows: Int? = nil
    ) -> Tensor {
        precondition(hidden.size(0) == targets.count, "one target a row")
        let rows = chunkRows ?? logitChunkRows(vocabulary: weight.size(0))
        return withExtendedLifetime((hidden, weight, targets)) {
            let result = libtorch.pointee.token_log_probabilities(
                hidden.handle.pointer,
                weight.handle.pointer,
                targets.handle.pointer,
                temperature,
                Int64(rows)
            )
            return Tensor(owning: unwrap(result, "tokenLogProbabilities"))
        }
    }

    /// How many rows of logits are held at once: about 16 MiB of float32, at least 16 rows.
    public static func logitChunkRows(vocabulary: Int) -> Int { Swift.max(16, (1 << 22) / Swift.max(1, vocabulary)) }
}
