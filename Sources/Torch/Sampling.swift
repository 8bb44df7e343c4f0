import CLibTorch

// What sampling runs at every token, as functions of our own.

/// Which rows of a cache are read at one step: where each lives and how many tokens it holds.
public struct CacheRows {
    let slots: [Int64]
    let lengths: [Int64]
    /// Slots and lengths on a device, `[2, rows]`, where they are read there alone.
    let table: Tensor?

    /// One slot and one length a row.
    public init(slots: [Int], lengths: [Int]) {
        precondition(slots.count == lengths.count, "one slot and length a row")
        self.slots = slots.map(Int64.init)
        self.lengths = lengths.map(Int64.init)
        table = nil
    }

    /// Slots and lengths on a device, `[2, rows]`, int64.
    public init(table: Tensor) {
        slots = []
        lengths = []
        self.table = table
    }

    /// The number of rows.
    public var count: Int { table?.size(1) ?? slots.count }
    /// Slot and length of one row.
    public subscript(row: Int) -> (slot: Int, length: Int) { (Int(slots[row]), Int(lengths[row])) }
}

/// Where heads lie in rows of projections, queries first, and what is done to queries and keys before they are used.
public struct ProjectedHeads {
    /// The columns of all queries.
    public var queryWidth: Int
    /// The column at which keys begin.
    public var keyColumn: Int
    /// The column at which values begin.
    public var valueColumn: Int
    /// What normalises each head of queries.
    public var queryNorm: RowNorm?
    /// What normalises each head of keys.
    public var keyNorm: RowNorm?
    /// Cosines and sines `[rows, 1, turned dimensions]` by which heads are then turned, in their type.
    public var table: (cosine: Tensor, sine: Tensor)?

    /// Heads that are used as they are.
    public init(queryWidth: Int, keyColumn: Int, valueColumn: Int) {
        self.queryWidth = queryWidth
        self.keyColumn = keyColumn
        self.valueColumn = valueColumn
    }
}

/// Runs of tokens that are copied to the start of slots of a cache.
public struct CacheCopies {
    private(set) var triples: [Int64] = []

    /// Nothing to copy yet.
    public init() {}

    /// Copies the tokens of a range to a slot.
    public mutating func append(_ range: Range<Int>, slot: Int) {
        triples += [Int64(range.lowerBound), Int64(range.count), Int64(slot)]
    }

    /// Range and slot of each copy.
    public var copies: [(range: Range<Int>, slot: Int)] {
        stride(from: 0, to: triples.count, by: 3).map {
            (Int(triples[$0])..<Int(triples[$0] + triples[$0 + 1]), Int(triples[$0 + 2]))
        }
    }
}

/// How tokens are chosen from logits; filters come in the order temperature, top-k, top-p.
public struct TokenRule {
    /// What logits are divided by.
    public var temperature: Double
    /// Only this many most probable tokens; 0 means all.
    public var topK: Int
    /// Only the most probable tokens whose sum reaches this; 1 means all.
    public var topP: Double
    /// Whether the most probable token is always taken.
    public var isGreedy: Bool
    /// What a row that may not stop does not choose.
    public var stopTokens: [Int]
    /// A token whose log-probability is wanted too.
    public var reportedToken: Int?

    /// A rule.
    public init(
        temperature: Double,
        topK: Int,
        topP: Double,
        isGreedy: Bool,
        stopTokens: [Int],
        reportedToken: Int?
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.isGreedy = isGreedy
        self.stopTokens = stopTokens
        self.reportedToken = reportedToken
    }
}

/// A chosen token, with numbers of the distribution at the rule's temperature without filters.
public struct TokenChoice: Sendable {
    /// The token's id.
    public var token: Int
    /// log π of it.
    public var logProbability: Float
    /// The distribution's entropy in nats.
    public var entropy: Float
    /// log π of the reported token; not a number where none is asked for.
    public var reportedLogProbability: Float

    /// A choice.
    public init(token: Int, logProbability: Float, entropy: Float, reportedLogProbability: Float) {
        self.token = token
        self.logProbability = logProbability
        self.entropy = entropy
        self.reportedLogProbability = reportedLogProbability
    }
}

extension Tensor {
    /// Attention of one new token a row over the row's cached keys and values, to which the new ones are added first.
    ///
    /// - Parameters:
    ///   - queries: `[rows, heads, dimension]`
    ///   - keys, values: the new tokens', `[rows, key-value heads, dimension]`
    ///   - keyCache, valueCache: `[slots, key-value heads, capacity, dimension]`, float32 or bfloat16, changed in place
    ///   - rows: where each row lives in the caches, and how many tokens it has there already
    ///   - arrivals: on a device, a zero for each row and key-value head, int32, which is zero again afterwards
    /// - Returns: `[rows, heads, dimension]`, without gradient
    public static func decodeAttention(
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        keyCache: Tensor,
        valueCache: Tensor,
        rows: CacheRows,
        arrivals: Tensor? = nil,
        rule: AttentionRule
    ) -> Tensor {
        precondition(rows.count == queries.size(0), "one slot and length a row")
        if let table = rows.table, let arrivals {
            return withExtendedLifetime((queries, keys, values, keyCache, valueCache, table, arrivals)) {
                var raw = rule.raw
                let result = libtorch.pointee.cached_attention(
                    queries.handle.pointer,
                    keys.handle.pointer,
                    values.handle.pointer,
                    keyCache.handle.pointer,
                    valueCache.handle.pointer,
                    table.handle.pointer,
                    arrivals.handle.pointer,
                    &raw
                )
                return Tensor(owning: unwrap(result, "decodeAttention"))
            }
        }
        return withExtendedLifetime((queries, keys, values, keyCache, valueCache)) {
            var raw = rule.raw
            let result = libtorch.pointee.decode_attention(
                queries.handle.pointer,
                keys.handle.pointer,
                values.handle.pointer,
                keyCache.handle.pointer,
                valueCache.handle.pointer,
                rows.slots,
                rows.lengths,
                &raw
            )
            return Tensor(owning: unwrap(result, "decodeAttention"))
        }
    }

    /// The same of queries, keys and values as one product made them, on the CPU: their heads are normalised and turned first.
    ///
    /// - Parameters:
    ///   - projected: `[rows, columns]` in the type of the caches
    ///   - heads: where the heads lie there, and what is done to them
    /// - Returns: `[rows, query columns]`, without gradient
    public static func decodeAttention(
        projected: Tensor,
        heads: ProjectedHeads,
        keyCache: Tensor,
        valueCache: Tensor,
        rows: CacheRows,
        rule: AttentionRule
    ) -> Tensor {
        precondition(rows.count == projected.size(0), "one slot and length a row")
        return withExtendedLifetime((projected, heads, keyCache, valueCache)) {
            heads.queryNorm.withRaw { queryNorm in
                heads.keyNorm.withRaw { keyNorm in
                    var raw = rule.raw
                    var places = CLibTorch.ProjectedHeads(
                        query_width: Int64(heads.queryWidth),
                        key_column: Int64(heads.keyColumn),
                        value_column: Int64(heads.valueColumn),
                        cosine: heads.table?.cosine.handle.pointer,
                        sine: heads.table?.sine.handle.pointer,
                        query_norm: queryNorm,
                        key_norm: keyNorm
                    )
                    let result = libtorch.pointee.decode_projected(
                        projected.handle.pointer,
                        &places,
                        keyCache.handle.pointer,
                        valueCache.handle.pointer,
                        rows.slots,
                        rows.lengths,
                        &raw
                    )
                    return Tensor(owning: unwrap(result, "decodeAttention"))
                }
            }
        }
    }

    /// Copies runs of keys and values `[tokens, key-value heads, dimension]` into slots of the caches.
    public static func fillCache(
        keys: Tensor,
        values: Tensor,
        keyCache: Tensor,
        valueCache: Tensor,
        _ copies: CacheCopies
    ) {
        withExtendedLifetime((keys, values, keyCache, valueCache)) {
            let status = libtorch.pointee.fill_cache(
                keys.handle.pointer,
                values.handle.pointer,
                keyCache.handle.pointer,
                valueCache.handle.pointer,
                copies.triples,
                Int64(copies.triples.count / 3)
            )
            precondition(status == 0, "fillCache: \(LibTorch.lastError)")
        }
    }

    /// Chooses a token for each row of logits `[rows, vocabulary]`, float32; on a device only by rules without filters.
    ///
    /// Sampling takes the first token at which the cumulative distribution, summed in float64, exceeds the row's uniform
    /// number; what a row chooses does not depend on the rows beside it, but for the last bits of sums on a device.
    /// - Parameters:
    ///   - uniforms: one number in [0, 1) a row
    ///   - mayStop: whether the row may choose a stop token
    public func chooseTokens(_ rule: TokenRule, uniforms: [Double], mayStop: [Bool]) -> [TokenChoice] {
        let count = size(0)
        precondition(uniforms.count == count && mayStop.count == count, "one number and one flag a row")
        let empty = CLibTorch.TokenChoice(token: 0, log_probability: 0, entropy: 0, reported_log_probability: 0)
        var choices = [CLibTorch.TokenChoice](repeating: empty, count: count)
        let status = rule.stopTokens.map(Int64.init).withUnsafeBufferPointer { stops in
            var raw = CLibTorch.TokenRule(
                temperature: rule.temperature,
                top_k: Int64(rule.topK),
                top_p: rule.topP,
                is_greedy: rule.isGreedy,
                stop_tokens: stops.baseAddress,
                stop_count: Int64(stops.count),
                reported_token: Int64(rule.reportedToken ?? -1)
            )
            return handle.withPointer { libtorch.pointee.choose_tokens($0, &raw, uniforms, mayStop, &choices) }
        }
        precondition(status == 0, "chooseTokens: \(LibTorch.lastError)")
        return choices.map {
            TokenChoice(
                token: Int($0.token),
                logProbability: $0.log_probability,
                entropy: $0.entropy,
                reportedLogProbability: $0.reported_log_probability
            )
        }
    }
}
