import Testing
import Torch

@testable import Models

@Suite("Our own kernel of attention over segments")
struct RaggedAttentionTests {
    /// Shape of one attention, and a seed for its segments.
    struct Case: Sendable, CustomTestStringConvertible {
        var dimension: Int
        var group: Int
        var keyValueHeads = 2
        var seed: UInt64 = 1

        var testDescription: String { "dimension \(dimension), \(group) heads to each of \(keyValueHeads)" }
    }

    static let cases = [8, 16, 24, 32, 64, 80, 128, 6].flatMap { dimension in
        [1, 2, 3, 8].map { Case(dimension: dimension, group: $0, seed: UInt64(17 * dimension + $0)) }
    }

    /// Lengths around the sizes of tiles and blocks; every other segment has an earlier one as parent.
    private func segments(seed: UInt64) -> [Segment] {
        let lengths = [0, 1, 2, 7, 33, 47, 48, 49, 64, 65, 97, 130]
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var (segments, parents, start) = ([Segment](), [Int](), 0)
        for index in 0..<6 {
            let parent = parents.isEmpty || next(2) == 0 ? nil : parents[next(parents.count)]
            if parent == nil { parents.append(index) }
            segments.append(Segment(start: start, length: lengths[next(lengths.count)], parent: parent))
            start += segments[index].length
        }
        return segments + [Segment(start: start, length: 3)]
    }

    private func random(_ shape: [Int], seed: UInt64, _ dtype: DType) -> Tensor {
        let tensor = Tensor.empty(shape, .float32)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor.to(dtype)
    }

    /// Queries, keys, values and the gradient of the output.
    private func inputs(_ shape: Case, tokens: Int, _ dtype: DType) -> [Tensor] {
        let heads = [shape.group * shape.keyValueHeads, shape.keyValueHeads, shape.keyValueHeads]
        return (heads + [heads[0]]).enumerated().map {
            random([tokens, $1, shape.dimension], seed: shape.seed + UInt64($0), dtype)
        }
    }

    private typealias Attention = (Tensor, Tensor, Tensor, [Segment], AttentionRule) -> Tensor

    /// The output, and the gradients of queries, keys and values.
    private func run(_ attention: Attention, _ inputs: [Tensor], _ segments: [Segment], _ rule: AttentionRule)
        -> [Tensor]
    {
        let copies = inputs.prefix(3).map { $0.clone() }
        for copy in copies { copy.requiresGradient = true }
        let output = attention(copies[0], copies[1], copies[2], segments, rule)
        (output * inputs[3]).sum().backward()
        return [output.detached()] + copies.compactMap(\.gradient)
    }

    private let fused: Attention = {
        Tensor.raggedAttention(queries: $0, keys: $1, values: $2, segments: $3, rule: $4)
    }

    private let plain: Attention = {
        plainSegmentAttention(queries: $0, keys: $1, values: $2, segments: $3, rule: $4)
    }

    /// Rounding grows with the length of the sums: errors are compared with the mean magnitude, too.
    private func expectEqual(_ found: [Tensor], _ expected: [Tensor], _ tolerance: Double, floor: Double = 0.01) {
        #expect(found.count == 4 && expected.count == 4)
        for (found, expected) in zip(found, expected) {
            let mean = expected.magnitude().mean().scalar
            #expect(excess(found, expected, absolute: tolerance * (mean + floor), relative: tolerance) <= 0)
        }
    }

    @Test("float32 and bfloat16 equal the plain path in float64, gradients included", arguments: cases)
    func equalsPlain(shape: Case) {
        let segments = segments(seed: shape.seed)
        let tokens = segments.map(\.length).reduce(0, +)
        for (dtype, tolerance) in [(DType.float32, 2e-4), (.bfloat16, 6e-2)] {
            let inputs = inputs(shape, tokens: tokens, dtype)
            let rule = AttentionRule(scale: 1 / Double(shape.dimension).squareRoot())
            let found = run(fused, inputs, segments, rule)
            expectEqual(found, run(plain, inputs.map { $0.to(.float64) }, segments, rule), tolerance)
            let again = run(fused, inputs, segments, rule)
            #expect(zip(found, again).allSatisfy { $0.floats == $1.floats }, "the same in every run")
        }
    }

    @Test("a long sequence, cut into slices, equals the plain path")
    func slices() {
        let shape = Case(dimension: 16, group: 3)
        let segments = [Segment(start: 0, length: 700), Segment(start: 700, length: 150, parent: 0)]
        let inputs = inputs(shape, tokens: 850, .float32)
        let expected = run(plain, inputs.map { $0.to(.float64) }, segments, AttentionRule(scale: 0.25))
        expectEqual(run(fused, inputs, segments, AttentionRule(scale: 0.25)), expected, 2e-4)
    }

    /// Windows of one key, of a few, around the sizes of tiles and blocks, and of everything; caps that bend and that do not.
    static let rules: [(window: Int?, softCap: Double?)] = [
        (1, nil), (5, nil), (6, 2), (16, nil), (48, 0.5), (49, nil), (100, 30), (1000, nil), (nil, 1), (nil, 50),
    ]

    @Test(
        "windows and soft caps equal the plain path, gradients included",
        arguments: rules,
        [(16, 3), (24, 1), (6, 8)]
    )
    func restricted(rule: (window: Int?, softCap: Double?), shape: (dimension: Int, group: Int)) {
        let shape = Case(dimension: shape.dimension, group: shape.group, seed: UInt64(rule.window ?? 7))
        var segments = segments(seed: shape.seed)
        let start = segments.map(\.length).reduce(0, +)
        segments += [
            Segment(start: start, length: 300), Segment(start: start + 300, length: 70, parent: segments.count),
        ]
        let rule = AttentionRule(scale: 0.4, window: rule.window, softCap: rule.softCap)
        for (dtype, tolerance) in [(DType.float32, 5e-4), (.bfloat16, 6e-2)] {
            let inputs = inputs(shape, tokens: start + 370, dtype)
            let expected = run(plain, inputs.map { $0.to(.float64) }, segments, rule)
            // Where a query sees one key, gradients of scores are zero but for the rounding of the output.
            expectEqual(run(fused, inputs, segments, rule), expected, tolerance, floor: 1)
        }
    }

    @Test("scores of ±10,000 neither overflow nor lose their order")
    func hugeScores() {
        let segments = segments(seed: 5)
        var inputs = inputs(Case(dimension: 16, group: 2), tokens: segments.map(\.length).reduce(0, +), .float32)
        // Ones and minus ones: scores are exact, so that rounding decides nothing.
        for index in 0..<2 { inputs[index] = inputs[index].isGreater(than: 0).to(.float32) * 2 - 1 }
        let scale = 10_000.0 / 16
        let found = run(fused, inputs, segments, AttentionRule(scale: scale))
        let expected = run(plain, inputs.map { $0.to(.float64) }, segments, AttentionRule(scale: scale))
        for (index, (found, expected)) in zip(found, expected).enumerated() {
            let absolute = index == 0 || index == 3 ? 1e-3 : 1e-3 * scale
            #expect(excess(found, expected, absolute: absolute, relative: 1e-3) <= 0)
        }
    }

    @Test("parts of a fused projection are read in place")
    func strided() {
        let segments = segments(seed: 9)
        let tokens = segments.map(\.length).reduce(0, +)
        let fusedRows = random([tokens, 8, 16], seed: 3, .float32)
        let parts = [fusedRows.narrowed(1, 0..<4), fusedRows.narrowed(1, 4..<6), fusedRows.narrowed(1, 6..<8)]
        let found = fused(parts[0], parts[1], parts[2], segments, AttentionRule(scale: 0.25))
        let copies = parts.map { $0.clone() }
        #expect(found.floats == fused(copies[0], copies[1], copies[2], segments, AttentionRule(scale: 0.25)).floats)
    }
}
