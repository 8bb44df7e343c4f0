import Testing

@testable import Torch

@Suite("Packed weights with what comes before and after them")
struct PackedLayerTests {
    /// Rows, inputs and outputs around the sizes of tiles, panels, blocks of rows and parts of the depth.
    private static let sizes = [
        (1, 16, 8), (2, 33, 96), (5, 64, 17), (13, 100, 65), (16, 256, 688), (120, 64, 200), (3, 1_300, 40),
        (1, 576, 1_536),
    ]

    private func random(_ shape: [Int], seed: UInt64, _ dtype: DType) -> Tensor {
        let tensor = Tensor.empty(shape)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor.to(dtype)
    }

    private func norm(_ width: Int, addsOne: Bool) -> (weight: Tensor, row: RowNorm) {
        let weight = random([width], seed: 9, .float32)
        return (weight, RowNorm(weight, epsilon: 1e-5, addsOne: addsOne))
    }

    @Test("several weights are packed as one, each in columns of its own", arguments: [DType.float32, .bfloat16])
    func several(dtype: DType) {
        let weights = [
            random([40, 24], seed: 1, dtype), random([32, 24], seed: 2, dtype), random([7, 24], seed: 3, dtype),
        ]
        let packed = PackedWeight(weights, startsPanels: true)
        #expect(packed.starts == [0, 64, 96] && packed.outputs == 103)
        let rows = random([5, 24], seed: 4, dtype)
        let product = packed(rows)
        #expect(product.shape == [5, 103])
        for (weight, start) in zip(weights, packed.starts) {
            let part = product.narrowed(1, start..<start + weight.size(0))
            #expect(part.to(.float32).floats == rows.linear(weight).to(.float32).floats)
        }
    }

    @Test("rows normalised on the way give the same bits", arguments: sizes, [false, true])
    func normalized(size: (rows: Int, inputs: Int, outputs: Int), addsOne: Bool) {
        for dtype in [DType.float32, .bfloat16] {
            let wide = random([size.rows, size.inputs + 3], seed: 1, dtype)
            let weight = random([size.outputs, size.inputs], seed: 2, dtype)
            let (factors, norm) = norm(size.inputs, addsOne: addsOne)
            // Rows that follow each other, and rows with a gap between them.
            for rows in [wide.narrowed(1, 0..<size.inputs).clone(), wide.narrowed(1, 2..<size.inputs + 2)] {
                let plain = rows.rootMeanSquareNorm(factors, epsilon: 1e-5, addsOne: addsOne).linear(weight)
                #expect(PackedWeight(weight)(rows, normalizedBy: norm).to(.float32).floats == plain.to(.float32).floats)
            }
        }
    }

    @Test("a product is added in place; in bfloat16 the sum is rounded once", arguments: sizes)
    func added(size: (rows: Int, inputs: Int, outputs: Int)) {
        for dtype in [DType.float32, .bfloat16] {
            let rows = random([size.rows, size.inputs], seed: 1, dtype)
            let weight = random([size.outputs, size.inputs], seed: 2, dtype)
            let stream = random([size.rows, size.outputs], seed: 3, dtype)
            let sum = stream.clone()
            PackedWeight(weight).add(rows, to: sum)
            // Deeper products are summed in parts, each of which is added.
            if dtype == .float32, size.inputs <= 640 {
                #expect(sum.floats == (stream + rows.linear(weight)).floats)
                continue
            }
            let exact = stream.to(.float64) + rows.to(.float64).linear(weight.to(.float64))
            let unit = dtype == .float32 ? 0x1p-20 : 0x1p-8
            // Half a unit in the last place of the sum, and what float32 makes of the product before it is rounded.
            let bound = exact.magnitude() * unit + 1e-4
            #expect(((sum.to(.float64) - exact).magnitude() - bound).max().scalar <= 0)
        }
    }

    @Test("a gated unit in one go gives the same bits", arguments: sizes, [Activation.silu, .geluTanh])
    func gated(size: (rows: Int, inputs: Int, outputs: Int), activation: Activation) {
        for dtype in [DType.float32, .bfloat16] {
            let rows = random([size.rows, size.inputs], seed: 1, dtype)
            let gate = random([size.outputs, size.inputs], seed: 2, dtype)
            let up = random([size.outputs, size.inputs], seed: 3, dtype)
            let (factors, norm) = norm(size.inputs, addsOne: false)
            let packed = PackedWeight([gate, up], startsPanels: true)
            let plain = rows.linear(gate).gating(rows.linear(up), by: activation)
            #expect(
                packed.gatedUnit(rows, normalizedBy: nil, by: activation).to(.float32).floats
                    == plain.to(.float32).floats
            )
            let normed = rows.rootMeanSquareNorm(factors, epsilon: 1e-5)
            let expected = normed.linear(gate).gating(normed.linear(up), by: activation)
            #expect(
                packed.gatedUnit(rows, normalizedBy: norm, by: activation).to(.float32).floats
                    == expected.to(.float32).floats
            )
        }
    }

    @Test("neither other rows nor threads change a row", arguments: [DType.float32, .bfloat16])
    func rowsAreAlone(dtype: DType) {
        let rows = random([40, 300], seed: 1, dtype)
        let packed = PackedWeight(
            [random([700, 300], seed: 2, dtype), random([700, 300], seed: 3, dtype)],
            startsPanels: true
        )
        let norm = norm(300, addsOne: false).row
        func run(_ rows: Tensor) -> Tensor { packed.gatedUnit(rows, normalizedBy: norm, by: .silu).to(.float32) }
        let together = run(rows)
        for row in [0, 11, 12, 39] {
            #expect(run(rows.narrowed(0, row..<row + 1)).floats == together.selected(0, row).floats)
        }
        let threads = LibTorch.threads
        defer { LibTorch.threads = threads }
        LibTorch.threads = threads == 1 ? 2 : 1
        #expect(run(rows).floats == together.floats)
    }

    @Test("no rows are no work")
    func empty() {
        let packed = PackedWeight(
            [random([5, 4], seed: 1, .float32), random([5, 4], seed: 2, .float32)],
            startsPanels: true
        )
        let none = Tensor.empty([0, 4])
        #expect(packed(none).shape == [0, 37] && packed.gatedUnit(none, normalizedBy: nil, by: .silu).shape == [0, 5])
        packed.add(none, to: Tensor.empty([0, 37]))
    }
}
