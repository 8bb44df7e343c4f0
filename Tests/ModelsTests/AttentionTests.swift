import Testing
import Torch

@testable import Models

@Suite("Attention over segments")
struct AttentionTests {
    private func random(_ shape: [Int], seed: UInt64, dtype: DType = .float64) -> Tensor {
        let tensor = Tensor.empty(shape, dtype)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor
    }

    /// A prompt with two responses, a lone sequence, a prompt without tokens and an empty response.
    static let segments = [
        Segment(start: 0, length: 5), Segment(start: 5, length: 3, parent: 0), Segment(start: 8, length: 4, parent: 0),
        Segment(start: 12, length: 7), Segment(start: 19, length: 0), Segment(start: 19, length: 2, parent: 4),
        Segment(start: 21, length: 0, parent: 3),
    ]

    @Test("the fused path equals the plain one, gradients included", arguments: [(4, 4), (6, 2), (3, 1)])
    func fusedEqualsPlain(heads: Int, keyValueHeads: Int) {
        let leaves = [
            random([21, heads, 8], seed: 1), random([21, keyValueHeads, 8], seed: 2),
            random([21, keyValueHeads, 8], seed: 3),
        ]
        let upstream = random([21, heads, 8], seed: 4)
        func run(_ attention: (Tensor, Tensor, Tensor, [Segment], AttentionRule) -> Tensor) -> [Tensor] {
            let copies = leaves.map { $0.clone() }
            for copy in copies { copy.requiresGradient = true }
            let output = attention(copies[0], copies[1], copies[2], Self.segments, AttentionRule(scale: 0.3))
            (output * upstream).sum().backward()
            return [output.detached()] + copies.compactMap(\.gradient)
        }
        let fused = run { Tensor.raggedAttention(queries: $0, keys: $1, values: $2, segments: $3, rule: $4) }
        let plain = run { plainSegmentAttention(queries: $0, keys: $1, values: $2, segments: $3, rule: $4) }
        #expect(fused.count == 4)
        for (found, expected) in zip(fused, plain) {
            #expect(excess(found, expected, absolute: 1e-9, relative: 1e-9) <= 0)
        }
    }

    /// Heads, key-value heads, dimension.
    static let shapes = [(4, 2, 4), (9, 3, 64), (8, 4, 32), (5, 1, 24), (4, 4, 10), (7, 1, 100)]

    static let rules = [
        AttentionRule(scale: 0.3), AttentionRule(scale: 0.3, window: 1),
        AttentionRule(scale: 0.3, window: 67, softCap: 2),
    ]

    @Test("reading the cache equals the plain path", arguments: shapes, rules)
    func decode(shape: (heads: Int, pairs: Int, width: Int), rule: AttentionRule) throws {
        for dtype in [DType.float32, .bfloat16] { try decode(shape, rule, dtype) }
    }

    private func decode(_ shape: (heads: Int, pairs: Int, width: Int), _ rule: AttentionRule, _ dtype: DType) throws {
        let configuration = try TinyModel.configuration([
            "num_attention_heads": .integer(shape.heads), "num_key_value_heads": .integer(shape.pairs),
            "head_dim": .integer(shape.width), "hidden_size": .integer(shape.heads * shape.width),
        ])
        let (slots, capacity) = (4, 141)
        // The fused path computes in float32 whatever the cache holds, so the plain one is given the same numbers in float32.
        func cache(_ held: DType) -> KeyValueCache {
            let cache = KeyValueCache(configuration, slots: slots, capacity: capacity, dtype: held, device: .cpu)
            cache.keys[0].copy(from: random(cache.keys[0].shape, seed: 5).to(dtype))
            cache.values[0].copy(from: random(cache.values[0].shape, seed: 6).to(dtype))
            return cache
        }
        let rows = CacheRows(slots: [2, 0, 3], lengths: [0, 140, 66])
        let queries = random([3, shape.heads, shape.width], seed: 7).to(dtype)
        let keys = random([3, shape.pairs, shape.width], seed: 8).to(dtype)
        let values = random([3, shape.pairs, shape.width], seed: 9).to(dtype)
        let (fused, plain) = (cache(dtype), cache(.float32))
        // As a layer hands them over: columns of one product.
        let all = Tensor.concatenated([queries, keys, values], along: 1)
        let ends = [shape.heads, shape.heads + shape.pairs, shape.heads + 2 * shape.pairs]
        let found = fused.attend(
            layer: 0,
            queries: all.narrowed(1, 0..<ends[0]),
            keys: all.narrowed(1, ends[0]..<ends[1]),
            values: all.narrowed(1, ends[1]..<ends[2]),
            rows: rows,
            rule: rule
        )
        let expected = plain.plainAttend(
            layer: 0,
            queries: queries.to(.float32),
            keys: keys.to(.float32),
            values: values.to(.float32),
            rows: rows,
            rule: rule
        )
        let tolerance = dtype == .float32 ? 1e-5 : 1e-2
        #expect(excess(found, expected, absolute: tolerance, relative: tolerance) <= 0)
        #expect(fused.keys[0].floats == plain.keys[0].floats)
        #expect(fused.values[0].floats == plain.values[0].floats)
        // A row alone is the same row, bit for bit.
        let alone = cache(dtype).attend(
            layer: 0,
            queries: queries.narrowed(0, 1..<2),
            keys: keys.narrowed(0, 1..<2),
            values: values.narrowed(0, 1..<2),
            rows: CacheRows(slots: [0], lengths: [140]),
            rule: rule
        )
        #expect(alone.floats == found.narrowed(0, 1..<2).floats)
    }

    @Test(
        "heads from one product are normalised and turned first, bit for bit",
        arguments: shapes + [(6, 2, 128)],
        rules
    )
    func projected(shape: (heads: Int, pairs: Int, width: Int), rule: AttentionRule) throws {
        let configuration = try TinyModel.configuration([
            "num_attention_heads": .integer(shape.heads), "num_key_value_heads": .integer(shape.pairs),
            "head_dim": .integer(shape.width), "hidden_size": .integer(shape.heads * shape.width),
        ])
        let (count, capacity) = (9, 141)
        let lengths = (0..<count).map { $0 * 17 }
        let rows = CacheRows(slots: (0..<count).reversed(), lengths: lengths)
        // Part of a head is turned, or all of it; heads are normalised, or not; and there are gaps between the projections.
        for (dtype, turned, isNormed) in [
            (DType.float32, shape.width, true), (.float32, (shape.width / 4 + 1) / 2 * 2, false),
            (.bfloat16, shape.width, false), (.bfloat16, (shape.width / 4 + 1) / 2 * 2, true), (.float32, 0, false),
        ] {
            func cache() -> KeyValueCache {
                let made = KeyValueCache(configuration, slots: count, capacity: capacity, dtype: dtype, device: .cpu)
                made.keys[0].copy(from: random(made.keys[0].shape, seed: 5).to(dtype))
                made.values[0].copy(from: random(made.values[0].shape, seed: 6).to(dtype))
                return made
            }
            let (queryWidth, keyWidth) = (shape.heads * shape.width, shape.pairs * shape.width)
            let all = random([count, queryWidth + 2 * keyWidth + 8], seed: 7).to(dtype)
            var heads = ProjectedHeads(
                queryWidth: queryWidth,
                keyColumn: queryWidth + 3,
                valueColumn: queryWidth + keyWidth + 5
            )
            let weights = [
                random([shape.width], seed: 8, dtype: .float32), random([shape.width], seed: 9, dtype: .float32),
            ]
            if isNormed {
                heads.queryNorm = RowNorm(weights[0], epsilon: 1e-5, addsOne: false)
                heads.keyNorm = RowNorm(weights[1], epsilon: 1e-5, addsOne: true)
            }
            let table = RotaryTable(
                frequencies: Tensor((0..<max(1, turned / 2)).map { 1 / Float($0 + 1) }),
                factor: 1.1,
                positions: Tensor(lengths),
                dtype: dtype
            )
            if turned > 0 { heads.table = (table.cosine, table.sine) }
            let (fused, plain) = (cache(), cache())
            let found = fused.attend(layer: 0, projected: all, heads: heads, rows: rows, rule: rule)

            func made(_ column: Int, _ number: Int, _ weight: Int?) -> Tensor {
                let part = all.narrowed(1, column..<column + number * shape.width).reshaped([-1, shape.width])
                let normed =
                    isNormed
                    ? weight.map { part.rootMeanSquareNorm(weights[$0], epsilon: 1e-5, addsOne: $0 == 1) } : nil
                let split = (normed ?? part).reshaped([count, number, shape.width])
                return turned > 0 && weight != nil ? table(split) : split
            }
            let expected = plain.attend(
                layer: 0,
                queries: made(0, shape.heads, 0),
                keys: made(heads.keyColumn, shape.pairs, 1),
                values: made(heads.valueColumn, shape.pairs, nil),
                rows: rows,
                rule: rule
            )
            #expect(found.floats == expected.reshaped([count, queryWidth]).floats)
            #expect(fused.keys[0].floats == plain.keys[0].floats && fused.values[0].floats == plain.values[0].floats)
        }
    }

    @Test("filling the cache equals the plain path", arguments: [DType.float32, .bfloat16])
    func fill(dtype: DType) throws {
        let configuration = try TinyModel.configuration()
        let width = [configuration.keyValueHeadCount, configuration.headDimension]
        let keys = random([12] + width, seed: 8).to(dtype)
        let values = random([12] + width, seed: 9).to(dtype)
        var copies = CacheCopies()
        copies.append(0..<5, slot: 3)
        copies.append(0..<5, slot: 1)
        copies.append(5..<12, slot: 0)
        func filled(_ fill: (KeyValueCache) -> Void) -> [Float] {
            let cache = KeyValueCache(configuration, slots: 4, capacity: 7, dtype: dtype, device: .cpu)
            for tensor in [cache.keys[0], cache.values[0]] { tensor.copy(from: Tensor.zeros(tensor.shape)) }
            fill(cache)
            return cache.keys[0].floats + cache.values[0].floats
        }
        let fused = filled { $0.fill(layer: 0, keys: keys, values: values, copies) }
        #expect(fused == filled { $0.plainFill(layer: 0, keys: keys, values: values, copies) })
        #expect(Set(fused).count > 100)
    }
}
