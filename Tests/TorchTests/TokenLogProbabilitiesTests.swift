import Testing

@testable import Torch

@Suite("Log-probabilities of tokens without a matrix of logits")
struct TokenLogProbabilitiesTests {
    private func random(_ shape: [Int], seed: UInt64) -> Tensor {
        let tensor = Tensor.empty(shape, .float64)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor
    }

    private struct Outcome {
        let values: [Double]
        let hiddenGradient: [Double]
        let weightGradient: [Double]
    }

    private func run(dtype: DType, _ body: (Tensor, Tensor, Tensor) -> Tensor) -> Outcome {
        let (hidden, weight) = (random([7, 5], seed: 1).to(dtype), random([11, 5], seed: 2).to(dtype))
        hidden.requiresGradient = true
        weight.requiresGradient = true
        let values = body(hidden, weight, Tensor([0, 10, 3, 3, 7, 0, 5]))
        (values.to(.float64) * random([7], seed: 3)).sum().backward()
        return Outcome(
            values: values.doubles,
            hiddenGradient: hidden.gradient?.doubles ?? [],
            weightGradient: weight.gradient?.doubles ?? []
        )
    }

    private func difference(_ first: [Double], _ second: [Double]) -> Double {
        first.count == second.count ? zip(first, second).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    @Test(
        "value and gradient are log_softmax's, whatever the chunk and the temperature",
        arguments: [1, 2, 3, 7, 100],
        [1.0, 0.7]
    )
    func chunks(rows: Int, temperature: Double) {
        let expected = run(dtype: .float64) { hidden, weight, targets in
            (hidden.linear(weight) / temperature).logSoftmax().gathered(1, targets.unsqueezed(1)).squeezed(1)
        }
        for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5), (.bfloat16, 0.2)] {
            let found = run(dtype: dtype) {
                Tensor.tokenLogProbabilities(
                    hidden: $0,
                    weight: $1,
                    targets: $2,
                    temperature: temperature,
                    chunkRows: rows
                )
            }
            #expect(difference(found.values, expected.values) < tolerance)
            #expect(difference(found.hiddenGradient, expected.hiddenGradient) < tolerance)
            #expect(difference(found.weightGradient, expected.weightGradient) < tolerance)
        }
    }

    @Test("no rows give no numbers, with gradients of zero")
    func empty() {
        let (hidden, weight) = (random([0, 5], seed: 1), random([11, 5], seed: 2))
        weight.requiresGradient = true
        let values = Tensor.tokenLogProbabilities(hidden: hidden, weight: weight, targets: Tensor([Int]()))
        #expect(values.shape == [0])
        values.sum().backward()
        #expect(weight.gradient?.doubles.allSatisfy { $0 == 0 } != false)
    }
}
