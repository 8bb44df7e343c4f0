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
    /// A prompt is computed once however many responses follow it; no score is kept longer than a tile of them is used.
    /// A window reaches back into the parent. Windows and soft caps take float32 and bfloat16.
    /// - Parameters:
    ///   - queries: `[tokens, heads, dimension]`
    ///   - keys, values: `[tokens, key-value heads, dimension]`; heads is a multiple of key-value heads
    /// - Returns: `[tokens, heads, dimension]`
    public static func raggedAttention(
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        segments: [Segment],
        rule: AttentionRule
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
                    var raw = rule.raw
                    let result = libtorch.pointee.ragged_attention(q, k, v, triples, Int64(segments.count), &raw)
                    return Tensor(owning: unwrap(result, "raggedAttention"))
                }
            }
        }
    }

    /// log softmax(logits / temperature) at each row's target, in float32 (float64 for float64 input), where the logits are
    /// hidden · weightᵀ and, with a soft cap c, c · tanh(logits / c).
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
        softCap: Double? = nil,
        chunkRows: Int? = nil
    ) -> Tensor {
        precondition(hidden.size(0) == targets.count, "one target a row")
        let rows = chunkRows ?? logitChunkRows(vocabulary: weight.size(0), on: hidden.device)
        return withExtendedLifetime((hidden, weight, targets)) {
            let result = libtorch.pointee.token_log_probabilities(
                hidden.handle.pointer,
                weight.handle.pointer,
                targets.handle.pointer,
                temperature,
                softCap ?? 0,
                Int64(rows)
            )
            return Tensor(owning: unwrap(result, "tokenLogProbabilities"))
        }
    }

    /// The log-probabilities of `tokenLogProbabilities`, and the entropy of each row's distribution in nats, `[tokens]` each.
    ///
    /// One pass over the logits, without gradient.
    public static func tokenLogProbabilitiesAndEntropies(
        hidden: Tensor,
        weight: Tensor,
        targets: Tensor,
        temperature: Double = 1,
        softCap: Double? = nil,
        chunkRows: Int? = nil
    ) -> (logProbabilities: Tensor, entropies: Tensor) {
        precondition(hidden.size(0) == targets.count, "one target a row")
        let rows = chunkRows ?? logitChunkRows(vocabulary: weight.size(0), on: hidden.device)
        return withExtendedLifetime((hidden, weight, targets)) {
            var entropies: TensorPointer?
            let result = libtorch.pointee.token_log_probabilities_and_entropies(
                hidden.handle.pointer,
                weight.handle.pointer,
                targets.handle.pointer,
                temperature,
                softCap ?? 0,
                Int64(rows),
                &entropies
            )
            let logProbabilities = Tensor(owning: unwrap(result, "tokenLogProbabilitiesAndEntropies"))
            return (logProbabilities, Tensor(owning: unwrap(entropies, "tokenLogProbabilitiesAndEntropies")))
        }
    }

    /// The most bytes of logits that are kept from a forward to its backward pass, beside the chunk that is being computed.
    public static let keptLogitBytes = Int(KEPT_LOGIT_BYTES)

    /// How many rows of logits are held at once.
    ///
    /// About 16 MiB of float32, and at least 256 rows, for with fewer the head's weights take longer to lay out than to multiply.
    /// On a device, where a product wants more rows to be fast, 1 GiB.
    public static func logitChunkRows(vocabulary: Int, on device: Device) -> Int {
        Swift.max(256, (1 << (device == .cpu ? 22 : 28)) / Swift.max(1, vocabulary))
    }
}
