import Testing

@testable import Torch

@Suite("Fused parts of a layer")
struct FusedLayersTests {
    /// Values and gradients of a function of some leaves, the gradients under one fixed upstream gradient an output.
    private func outcome(_ leaves: [Tensor], _ dtype: DType, _ body: ([Tensor]) -> [Tensor]) -> [Tensor] {
        let copies = leaves.map { $0.clone().to(dtype) }
        for copy in copies { copy.requiresGradient = true }
        let outputs = body(copies)
        let losses = outputs.enumerated().map { index, output in
            (output.to(.float64) * random(output.shape, seed: 90 + UInt64(index))).sum()
        }
        losses.dropFirst().reduce(losses[0]) { $0 + $1 }.backward()
        return outputs.map { $0.detached() } + copies.map { $0.gradient ?? $0.zerosLike() }
    }

    private func random(_ shape: [Int], seed: UInt64, deviation: Double = 1) -> Tensor {
        let tensor = Tensor.empty(shape, .float64)
        tensor.fillNormal(deviation: deviation, Generator(seed: seed))
        return tensor
    }

    /// Leaves that bfloat16 holds exactly, so that types differ by their arithmetic only.
    private func leaf(_ shape: [Int], seed: UInt64, deviation: Double = 1) -> Tensor {
        random(shape, seed: seed, deviation: deviation).to(.bfloat16).to(.float64)
    }

    /// Compares both types with the plain form in float64; the error is relative to the largest element of each tensor.
    private func compare(_ leaves: [Tensor], fused: ([Tensor]) -> [Tensor], plain: ([Tensor]) -> [Tensor]) {
        let expected = outcome(leaves, .float64, plain)
        for (dtype, tolerance) in [(DType.float32, 3e-6), (.bfloat16, 2e-2)] {
            let found = outcome(leaves, dtype, fused)
            #expect(found.count == expected.count)
            for (index, (mine, right)) in zip(found, expected).enumerated() where right.count > 0 {
                #expect(mine.shape == right.shape && mine.dtype == dtype)
                let error = (mine.to(.float64) - right).magnitude().max().scalar
                let size = max(1e-30, right.magnitude().max().scalar)
                #expect(error <= tolerance * size, "tensor \(index) in \(dtype) is off by \(error / size)")
            }
        }
    }

    private func plainNorm(_ x: Tensor, _ weight: Tensor) -> Tensor {
        x * (x.squared().mean(-1, keepingAxis: true) + 1e-5).reciprocalSquareRoot() * weight
    }

    // One column would leave nothing of the gradient but ε, and of that only rounding.
    static let shapes = [[0, 8], [1, 2], [3, 7], [1, 64], [5, 100], [40, 256], [130, 577]]

    @Test("the norm equals its plain form, gradients included", arguments: shapes)
    func norm(shape: [Int]) {
        let leaves = [leaf(shape, seed: 1), leaf([shape[1]], seed: 2)]
        compare(leaves) {
            [$0[0].rootMeanSquareNorm($0[1], epsilon: 1e-5)]
        } plain: {
            [plainNorm($0[0], $0[1])]
        }
    }

    @Test("the norm after an addition equals its plain form, gradients included", arguments: shapes)
    func residualNorm(shape: [Int]) {
        let leaves = [leaf(shape, seed: 1), leaf(shape, seed: 2), leaf([shape[1]], seed: 3)]
        compare(leaves) {
            let (sum, normalized) = $0[0].adding($0[1], normalizedBy: $0[2], epsilon: 1e-5)
            return [sum, normalized]
        } plain: {
            let sum = $0[0] + $0[1]
            return [sum, plainNorm(sum, $0[2])]
        }
    }

    @Test(
        "rotation equals its plain form, gradients included",
        arguments: [[0, 2, 8], [1, 1, 2], [5, 3, 10], [70, 8, 64]]
    )
    func rotation(shape: [Int]) {
        let angles = leaf([shape[0], 1, shape[2] / 2], seed: 2, deviation: 3)
        let both = Tensor.concatenated([angles, angles], along: 2)
        let (cosine, sine) = (both.cosine().to(.bfloat16), both.sine().to(.bfloat16))
        compare([leaf(shape, seed: 1)]) {
            [$0[0].rotated(cosine: cosine.to($0[0].dtype), sine: sine.to($0[0].dtype))]
        } plain: {
            let half = shape[2] / 2
            let swapped = Tensor.concatenated(
                [-$0[0].narrowed(2, half..<2 * half), $0[0].narrowed(2, 0..<half)],
                along: 2
            )
            return [$0[0] * cosine.to(.float64) + swapped * sine.to(.float64)]
        }
    }

    @Test("the gated unit equals its plain form, gradients included", arguments: shapes)
    func gatedUnit(shape: [Int]) {
        compare([leaf(shape, seed: 1, deviation: 3), leaf(shape, seed: 2)]) {
            [$0[0].gating($0[1])]
        } plain: {
            [$0[0].silu() * $0[1]]
        }
    }

    @Test("the gate may go through gelu", arguments: shapes)
    func geluUnit(shape: [Int]) {
        compare([leaf(shape, seed: 1, deviation: 3), leaf(shape, seed: 2)]) {
            [$0[0].gating($0[1], by: .geluTanh)]
        } plain: {
            [Activation.geluTanh($0[0]) * $0[1]]
        }
        // x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))) at 1, 0 and -2.
        let found = Activation.geluTanh(Tensor([Float(1), 0, -2])).doubles
        for (found, expected) in zip(found, [0.841192, 0, -0.045402]) { #expect(abs(found - expected) < 1e-6) }
    }

    @Test("norms may multiply by one more than the weight", arguments: shapes)
    func normsAboveOne(shape: [Int]) {
        compare([leaf(shape, seed: 1), leaf(shape, seed: 2), leaf([shape[1]], seed: 3, deviation: 0.1)]) {
            let (sum, normalized) = $0[0].adding($0[1], normalizedBy: $0[2], epsilon: 1e-5, addsOne: true)
            return [sum, normalized, $0[1].rootMeanSquareNorm($0[2], epsilon: 1e-5, addsOne: true)]
        } plain: {
            let sum = $0[0] + $0[1]
            return [sum, plainNorm(sum, $0[2] + 1), plainNorm($0[1], $0[2] + 1)]
        }
    }

    @Test("inputs may be parts of wider matrices")
    func strides() {
        compare([leaf([9, 30], seed: 1), leaf([10], seed: 2)]) { leaves in
            let parts = (0..<3).map { leaves[0].narrowed(1, 10 * $0..<10 * $0 + 10) }
            let (cosine, sine) = table(tokens: 9, dimension: 10, leaves[0].dtype)
            let heads = parts[2].reshaped([9, 1, 10]).rotated(cosine: cosine, sine: sine)
            let (sum, normalized) = parts[0].adding(parts[1], normalizedBy: leaves[1], epsilon: 1e-5)
            let norm = parts[2].rootMeanSquareNorm(leaves[1], epsilon: 1e-5)
            return [parts[0].gating(parts[1]), heads.reshaped([9, 10]), sum, normalized, norm]
        } plain: { leaves in
            let parts = (0..<3).map { leaves[0].narrowed(1, 10 * $0..<10 * $0 + 10) }
            let (cosine, sine) = table(tokens: 9, dimension: 10, .float64)
            let swapped = Tensor.concatenated([-parts[2].narrowed(1, 5..<10), parts[2].narrowed(1, 0..<5)], along: 1)
            let heads = parts[2] * cosine.squeezed(1) + swapped * sine.squeezed(1)
            let sum = parts[0] + parts[1]
            return [
                parts[0].silu() * parts[1], heads, sum, plainNorm(sum, leaves[1]), plainNorm(parts[2], leaves[1]),
            ]
        }
    }

    private func table(tokens: Int, dimension: Int, _ dtype: DType) -> (Tensor, Tensor) {
        let angles = random([tokens, 1, dimension / 2], seed: 7)
        let both = Tensor.concatenated([angles, angles], along: 2)
        return (both.cosine().to(.bfloat16).to(dtype), both.sine().to(.bfloat16).to(dtype))
    }

    @Test("gates of any size neither overflow nor become NaN")
    func extremeGates() {
        let values: [Float] = [1e4, -1e4, 89, -89, 0, -0.0, 1e-30, 700, -.greatestFiniteMagnitude]
        let gate = Tensor(values, shape: [1, 9])
        gate.requiresGradient = true
        let output = gate.gating(Tensor([Float](repeating: 2, count: 9), shape: [1, 9]))
        output.sum().backward()
        let expected: [Float] = [2e4, 0, 178, 0, 0, 0, 1e-30, 1400, 0]
        for (found, right) in zip(output.floats, expected) { #expect(abs(found - right) <= 1e-6 * abs(right)) }
        #expect(gate.gradient?.floats.map { ($0 * 1e5).rounded() / 1e5 } == [2, 0, 2, 0, 1, 1, 1, 2, 0])
    }

    @Test("what is not a sum over rows is the same on one thread and on two")
    func threads() {
        let before = LibTorch.threads
        defer { LibTorch.threads = before }
        let leaves = [leaf([700, 130], seed: 1), leaf([700, 130], seed: 2), leaf([130], seed: 3)]
        let (cosine, sine) = table(tokens: 700, dimension: 130, .float32)
        let results = [1, 2].map { threads in
            LibTorch.threads = threads
            return outcome(leaves, .float32) {
                let (sum, normalized) = $0[0].adding($0[1], normalizedBy: $0[2], epsilon: 1e-5)
                let heads = sum.reshaped([700, 1, 130]).rotated(cosine: cosine, sine: sine)
                return [sum, normalized.gating($0[1]), heads]
            }.dropLast().map(\.floats)
        }
        #expect(results[0] == results[1])
    }
}
