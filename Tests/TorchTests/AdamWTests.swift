import Testing

@testable import Torch

@Suite("AdamW")
struct AdamWTests {
    /// One parameter's path by the paper's formulas, in float64.
    private func path(
        _ start: Double,
        gradients: [Double],
        rate: Double,
        beta1: Double,
        beta2: Double,
        epsilon: Double,
        decay: Double
    ) -> Double {
        var (weight, mean, square) = (start, 0.0, 0.0)
        var (power1, power2) = (1.0, 1.0)
        for gradient in gradients {
            (power1, power2) = (power1 * beta1, power2 * beta2)
            mean = beta1 * mean + (1 - beta1) * gradient
            square = beta2 * square + (1 - beta2) * gradient * gradient
            weight -= rate * decay * weight
            weight -= rate * (mean / (1 - power1)) / ((square / (1 - power2)).squareRoot() + epsilon)
        }
        return weight
    }

    private func leaf(_ values: [Float], shape: [Int]? = nil) -> Tensor {
        let tensor = Tensor(values, shape: shape)
        tensor.requiresGradient = true
        return tensor
    }

    @Test("two steps by hand: 1 → 0.9 → 0.829")
    func byHand() {
        let weight = leaf([1])
        var optimizer = AdamW([weight], decayed: [true], beta1: 0.5, beta2: 0.5, epsilon: 0, weightDecay: 0)
        weight.gradient = Tensor([4] as [Float])
        optimizer.update(learningRate: 0.1)  // m̂ = 4, v̂ = 16: one whole learning rate
        #expect(abs(weight.detached().scalar - 0.9) < 1e-6)
        #expect(weight.gradient == nil)
        weight.gradient = Tensor([0] as [Float])
        optimizer.update(learningRate: 0.1)  // m̂ = 1/0.75, v̂ = 4/0.75
        #expect(abs(weight.detached().scalar - (0.9 - 0.1 * (1 / 0.75) / (4 / 0.75 as Double).squareRoot())) < 1e-6)
        #expect(optimizer.step == 2)
    }

    @Test("follows the formulas, and decays matrices only", arguments: [0.0, 0.1])
    func formulas(decay: Double) {
        let matrix = leaf([0.5, -2], shape: [1, 2])
        let bias = leaf([0.25])
        var optimizer = AdamW(
            [matrix, bias],
            decayed: [true, false],
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            weightDecay: decay
        )
        let gradients: [[Double]] = [[0.3, -1, 2], [-0.2, 0.5, 1e-3], [4, 0, -3], [0.01, -0.7, 0]]
        for row in gradients {
            matrix.gradient = Tensor([Float(row[0]), Float(row[1])], shape: [1, 2])
            bias.gradient = Tensor([Float(row[2])])
            optimizer.update(learningRate: 0.05)
        }
        let found = matrix.detached().doubles + bias.detached().doubles
        for (column, (start, decays)) in [(0.5, true), (-2, true), (0.25, false)].enumerated() {
            let expected = path(
                start,
                gradients: gradients.map { $0[column] },
                rate: 0.05,
                beta1: 0.9,
                beta2: 0.95,
                epsilon: 1e-8,
                decay: decays ? decay : 0
            )
            #expect(abs(found[column] - expected) < 1e-5)
        }
    }

    @Test("a first step without gradient changes nothing and makes no NaN")
    func zeroGradient() {
        let (none, zero) = (leaf([1.5]), leaf([-2]))
        var optimizer = AdamW(
            [none, zero],
            decayed: [false, false],
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            weightDecay: 0.1
        )
        zero.gradient = Tensor([0] as [Float])
        optimizer.update(learningRate: 0.1)
        #expect(none.detached().floats == [1.5] && zero.detached().floats == [-2])
    }

    @Test("a restored optimizer goes on bit by bit")
    func restore() {
        func make(_ values: [Float]) -> (Tensor, AdamW) {
            let weight = leaf(values)
            return (weight, AdamW([weight], decayed: [true], beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1))
        }
        func step(_ weight: Tensor, _ optimizer: inout AdamW, _ number: Float) {
            weight.gradient = Tensor([number, -0.5 * number] as [Float])
            optimizer.update(learningRate: 0.1)
        }
        var (weight, optimizer) = make([1, 2])
        for number in 1...3 { step(weight, &optimizer, Float(number)) }
        var (copy, second) = make(weight.detached().floats)
        second.restore(means: optimizer.means, squares: optimizer.squares, step: optimizer.step)
        for number in 4...6 {
            step(weight, &optimizer, Float(number))
            step(copy, &second, Float(number))
        }
        #expect(weight.detached().bytes() == copy.detached().bytes())
        #expect(second.step == 6)
    }

    @Test("gradients are clipped together by their common norm, and left alone below it")
    func clipping() {
        let (first, second) = (leaf([0]), leaf([0, 0]))
        first.gradient = Tensor([3] as [Float])
        second.gradient = Tensor([0, 4] as [Float])
        #expect(abs(gradientNorm([first, second]) - 5) < 1e-6)
        #expect(abs(clipGradients([first, second], maximum: 10) - 5) < 1e-6)
        #expect(first.gradient?.floats == [3] && second.gradient?.floats == [0, 4])
        #expect(abs(clipGradients([first, second], maximum: 1) - 5) < 1e-6)
        #expect(abs((first.gradient?.scalar ?? 0) - 0.6) < 1e-6)
        #expect(abs(gradientNorm([first, second]) - 1) < 1e-6)
        #expect(gradientNorm([leaf([1])]) == 0)
    }
}
