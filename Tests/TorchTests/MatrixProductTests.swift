import Testing

@testable import Torch

@Suite("Matrix products")
struct MatrixProductTests {
    /// Rows, inputs and outputs around the sizes of tiles, panels and parts of the depth.
    private static let sizes = [
        (1, 1, 1), (1, 8, 16), (5, 7, 3), (6, 16, 32), (7, 33, 17), (13, 100, 65), (97, 64, 200), (3, 641, 40),
        (50, 1_300, 33), (200, 17, 300), (2, 5, 1_000),
    ]

    private func random(_ shape: [Int], seed: UInt64) -> Tensor {
        let tensor = Tensor.empty(shape)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor
    }

    /// The largest difference of two tensors, relative to the larger of one and the expected magnitude.
    private func distance(_ found: Tensor, _ expected: Tensor) -> Double {
        zip(found.to(.float64).doubles, expected.to(.float64).doubles)
            .map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
    }

    private func leaf(_ tensor: Tensor) -> Tensor {
        let copy = tensor.detached()
        copy.requiresGradient = true
        return copy
    }

    @Test("values and gradients are those of float64", arguments: sizes)
    func float32(rows: Int, inputs: Int, outputs: Int) {
        let (x, weight) = (random([rows, inputs], seed: 1), random([outputs, inputs], seed: 2))
        let (bias, upstream) = (random([outputs], seed: 3), random([rows, outputs], seed: 4))
        func run(_ dtype: DType) -> [Tensor] {
            let leaves = [x, weight, bias].map { leaf($0.to(dtype)) }
            let result = leaves[0].linear(leaves[1], bias: leaves[2])
            result.backward(seed: upstream.to(dtype))
            return [result.detached()] + leaves.compactMap(\.gradient)
        }
        for (found, expected) in zip(run(.float32), run(.float64)) {
            #expect(found.shape == expected.shape)
            // A sum of n products of random signs grows to √n and is rounded n times to 2⁻²⁴ of itself: n · 2⁻²⁴ is ample.
            #expect(distance(found, expected) < 0x1p-24 * Double(max(8, inputs, outputs, rows)))
        }
    }

    @Test("bfloat16 rows and a float32 master: rounded once, the weight's gradient in float32", arguments: sizes)
    func bfloat16(rows: Int, inputs: Int, outputs: Int) {
        let x = random([rows, inputs], seed: 1).to(.bfloat16)
        let master = leaf(random([outputs, inputs], seed: 2))
        let upstream = random([rows, outputs], seed: 4).to(.bfloat16)
        let input = leaf(x)
        let result = input.linear(master)
        #expect(result.dtype == .bfloat16)
        result.backward(seed: upstream)

        let wide = leaf(x.to(.float64))
        let rounded = leaf(master.detached().to(.bfloat16).to(.float64))
        let expected = wide.linear(rounded)
        expected.backward(seed: upstream.to(.float64))
        #expect(distance(result.detached(), expected.detached()) < 0x1p-7)
        #expect(input.gradient?.dtype == .bfloat16 && master.gradient?.dtype == .float32)
        #expect(distance(input.gradient!, wide.gradient!) < 0x1p-7)
        #expect(distance(master.gradient!, rounded.gradient!) < 0x1p-7)
    }

    @Test(
        "a row does not depend on the rows beside it or on the number of threads",
        arguments: [DType.float32, .bfloat16]
    )
    func rowsAreAlone(dtype: DType) {
        let (x, weight) = (random([40, 700], seed: 1).to(dtype), random([130, 700], seed: 2).to(dtype))
        let together = x.linear(weight).to(.float32)
        for row in [0, 5, 6, 39] {
            #expect(x.narrowed(0, row..<row + 1).linear(weight).to(.float32).floats == together.selected(0, row).floats)
        }
        let threads = LibTorch.threads
        defer { LibTorch.threads = threads }
        LibTorch.threads = threads == 1 ? 2 : 1
        #expect(x.linear(weight).to(.float32).floats == together.floats)
    }

    @Test("a packed weight gives the same bits", arguments: sizes)
    func packed(rows: Int, inputs: Int, outputs: Int) {
        for dtype in [DType.float32, .bfloat16] {
            let x = random([rows, inputs], seed: 1).to(dtype)
            let weight = random([outputs, inputs], seed: 2).to(dtype)
            #expect(PackedWeight(weight)(x).to(.float32).floats == x.linear(weight).to(.float32).floats)
        }
    }

    @Test("views, empty rows, infinities and NaN pass through as products do")
    func edges() {
        let base = random([20, 30], seed: 1)
        let weight = random([9, 10], seed: 2)
        let view = base.narrowed(1, 7..<17)
        #expect(distance(view.linear(weight), view.to(.float64).linear(weight.to(.float64))) < 1e-5)
        let turned = random([10, 20], seed: 3).transposed(0, 1)
        #expect(distance(turned.linear(weight), turned.to(.float64).linear(weight.to(.float64))) < 1e-5)
        #expect(Tensor.empty([0, 10]).linear(weight).shape == [0, 9])
        let odd = Tensor([.infinity, 1, .nan, 1] as [Float], shape: [2, 2])
            .linear(Tensor([1, 0] as [Float], shape: [1, 2]))
        #expect(odd.floats[0] == .infinity && odd.floats[1].isNaN)
    }
}
