import Testing

@testable import Torch

/// Products that have their input made again by the norm or the gated unit it came from, against products that keep it.
@Suite("Results that are made again")
struct RemadeResultsTests {
    private func random(_ shape: [Int], seed: UInt64) -> Tensor {
        let tensor = Tensor.empty(shape)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor
    }

    private static let (rows, width, outputs) = (70, 40, 24)

    /// The leaves by name: rows in a type of their own, weights in float32.
    fileprivate struct Leaves {
        let rows, update, norm, first, second, bias: Tensor

        init(_ dtype: DType, frozen: Set<String>, _ random: ([Int], UInt64) -> Tensor) {
            func leaf(_ name: String, _ shape: [Int], _ seed: UInt64, _ dtype: DType) -> Tensor {
                let tensor = random(shape, seed).to(dtype)
                tensor.requiresGradient = !frozen.contains(name)
                return tensor
            }
            let (count, width) = (RemadeResultsTests.rows, RemadeResultsTests.width)
            let outputs = RemadeResultsTests.outputs
            rows = leaf("rows", [count, width], 1, dtype)
            update = leaf("update", [count, width], 2, dtype)
            norm = leaf("norm", [width], 3, .float32)
            first = leaf("first", [outputs, width], 4, .float32)
            second = leaf("second", [width, width], 5, .float32)
            bias = leaf("bias", [outputs], 6, .float32)
        }

        var gradients: [[Float]?] {
            [rows, update, norm, first, second, bias].map { $0.gradient?.floats }
        }
    }

    /// What makes a product's input.
    enum Source: CaseIterable {
        case norm, normAboveOne, residualNorm, silu, gelu

        fileprivate func callAsFunction(_ leaves: Leaves) -> (sum: Tensor?, result: Tensor) {
            // Gradients reach the rows through something else than this node, too.
            let rows = leaves.rows * 2
            switch self {
            case .norm: return (nil, rows.rootMeanSquareNorm(leaves.norm, epsilon: 1e-5))
            case .normAboveOne:
                return (nil, rows.rootMeanSquareNorm(leaves.norm, epsilon: 1e-5, addsOne: true))
            case .residualNorm:
                let (sum, normalized) = rows.adding(leaves.update, normalizedBy: leaves.norm, epsilon: 1e-5)
                return (sum, normalized)
            case .silu: return (nil, rows.gating(leaves.update))
            case .gelu: return (nil, rows.gating(leaves.update, by: .geluTanh))
            }
        }
    }

    /// Two products of one input, which is added to a result as well.
    ///
    /// - Parameter keeps: whether a view stands between the input and its node, behind which the product does not see that node
    private func gradients(_ source: Source, _ dtype: DType, frozen: Set<String>, keeps: Bool) -> [[Float]?] {
        let leaves = Leaves(dtype, frozen: frozen) { random($0, seed: $1) }
        let (sum, made) = source(leaves)
        let input = keeps ? made.reshaped([1, Self.rows, Self.width]).reshaped([Self.rows, Self.width]) : made
        var square = input.linear(leaves.second) + input
        if let sum { square = square + sum }
        let narrow = input.linear(leaves.first, bias: leaves.bias)
        let losses = [square, narrow].enumerated().map { index, output in
            (output.to(.float32) * random(output.shape, seed: 20 + UInt64(index))).sum()
        }
        (losses[0] + losses[1]).backward()
        return leaves.gradients
    }

    static let frozen: [Set<String>] = [
        [], ["first"], ["first", "second"], ["norm", "bias"], ["rows", "update"], ["rows", "update", "norm"],
        ["norm", "second"],
    ]

    @Test("gradients are those of a kept input, bit for bit", arguments: Source.allCases, frozen)
    func sameBits(source: Source, frozen: Set<String>) {
        for dtype in [DType.float32, .bfloat16] {
            let kept = gradients(source, dtype, frozen: frozen, keeps: true)
            let found = gradients(source, dtype, frozen: frozen, keeps: false)
            for (index, pair) in zip(found, kept).enumerated() {
                #expect((pair.0 == pair.1) as Bool, "gradient \(index) in \(dtype)")
            }
            #expect((found[3] != nil) == !frozen.contains("first"))
            #expect((found[0] != nil) == !frozen.contains("rows"))
        }
    }

    @Test("what is made again is that of the weights and rows in the graph, also in a second graph of the same leaves")
    func severalGraphs() {
        let (rows, weight) = (random([30, 16], seed: 1), random([8, 16], seed: 2))
        let norm = Tensor.full([16], 1)
        for tensor in [rows, weight, norm] { tensor.requiresGradient = true }
        func graph(_ factor: Double) -> Tensor {
            ((rows * factor).rootMeanSquareNorm(norm, epsilon: 0.5).linear(weight)).sum()
        }
        func alone(_ factor: Double) -> [Float] {
            weight.gradient = nil
            graph(factor).backward()
            return weight.gradient?.floats ?? []
        }
        let (first, second) = (alone(1), alone(0.25))
        #expect(first != second)
        // Backward in the order in which they were made, then in the other one.
        for factors in [(1.0, 0.25), (0.25, 1.0)] {
            let graphs = (graph(factors.0), graph(factors.1))
            weight.gradient = nil
            graphs.0.backward()
            #expect(weight.gradient?.floats == (factors.0 == 1 ? first : second))
            weight.gradient = nil
            graphs.1.backward()
            #expect(weight.gradient?.floats == (factors.1 == 1 ? first : second))
        }
    }
}
