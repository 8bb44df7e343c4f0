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
        func run(_ attention: (Tensor, Tensor, Tensor, [Segment], Double) -> Tensor) -> [Tensor] {
            let copies = leaves.map { $0.clone() }
            for copy in copies { copy.requiresGradient = true }
            let output = attention(copies[0], copies[1], copies[2], Self.segments, 0.3)
            (output * upstream).sum().backward()
            return [output.detached()] + copies.compactMap(\.gradient)
        }
        let fused = run { Tensor.raggedAttention(queries: $0, keys: $1, values: $2, segments: $3, scale: $4) }
        let plain = run { plainSegmentAttention(queries: $0, keys: $1, values: $2, segments: $3, scale: $4) }
        #expect(fused.count == 4)
        for (found, expected) in zip(fused, plain) {
            #expect(excess(found, expected, absolute: 1e-9, relative: 1e-9) <= 0)
        }
    }

    @Test("reading the cache equals the plain path", arguments: [DType.float32, .bfloat16])
    func decode(dtype: DType) throws {
        let json = ModelConfigurationTests.tiny
        let configuration = try ModelConfiguration(json, path: "config.json")
        let rows = 3
        func cache() -> KeyValueCache {
            let cache = KeyValueCache(configuration, slots: 4, capacity: 9, dtype: dtype, device: .cpu)
            cache.keys[0].copy(from: random(cache.keys[0].shape, seed: 5))
            cache.values[0].copy(from: random(cache.values[0].shape, seed: 6))
            return cache
        }
        let (heads, pairs, width) = (
            configuration.headCount, configuration.keyValueHeadCount, configuration.headDimension
        )
        let queries = random([rows, heads, width], seed: 7).to(dtype)
        let keys = random([rows, pairs, width], seed: 8).to(dtype)
        let values = random([rows, pairs, width], seed: 9).to(dtype)
        let fused = cache()
        let plain = cache()
        let found = fused.attend(
            layer: 0,
            queries: queries,
            keys: keys,
            values: values,
            slots: [2, 0, 3],
            lengths: [0, 8, 4],
            scale: 0.5
        )
        let expected = plain.plainAttend(
            layer: 0,
            queries: queries,
            keys: keys,
            values: values,
            slots: [2, 0, 3],
            lengths: [0, 8, 4],
            scale: 0.5
        )
        let tolerance = dtype == .float32 ? 1e-5 : 3e-2
        #expect(excess(found, expected, absolute: tolerance, relative: tolerance) <= 0)
        #expect(fused.keys[0].floats == plain.keys[0].floats)
    }
}
