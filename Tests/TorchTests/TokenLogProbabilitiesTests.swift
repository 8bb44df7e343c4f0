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

    @Test("a soft cap bends logits before the temperature", arguments: [2, 100], [0.5, 3, 30])
    func softCaps(rows: Int, cap: Double) {
        let expected = run(dtype: .float64) { hidden, weight, targets in
            (hidden.linear(weight).softCapped(cap) / 0.7).logSoftmax().gathered(1, targets.unsqueezed(1)).squeezed(1)
        }
        for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5), (.bfloat16, 0.2)] {
            let found = run(dtype: dtype) {
                Tensor.tokenLogProbabilities(
                    hidden: $0,
                    weight: $1,
                    targets: $2,
                    temperature: 0.7,
                    softCap: cap,
                    chunkRows: rows
                )
            }
            #expect(difference(found.values, expected.values) < tolerance)
            #expect(difference(found.hiddenGradient, expected.hiddenGradient) < tolerance)
            #expect(difference(found.weightGradient, expected.weightGradient) < tolerance)
        }
    }

    @Test("a vocabulary of many vectors and a remainder agrees with log_softmax", arguments: [4, 100], [1, 2])
    func largeVocabulary(rows: Int, threads: Int) {
        let before = LibTorch.threads
        defer { LibTorch.threads = before }
        LibTorch.threads = threads
        let (hidden, weight) = (random([41, 16], seed: 1), random([1031, 16], seed: 2))
        let targets = Tensor((0..<41).map { $0 * 25 })
        func gradients(_ dtype: DType, _ body: (Tensor, Tensor) -> Tensor) -> [Tensor] {
            let leaves = [hidden, weight].map { $0.clone().to(dtype) }
            for leaf in leaves { leaf.requiresGradient = true }
            let values = body(leaves[0], leaves[1])
            (values.to(.float64) * random([41], seed: 3)).sum().backward()
            return [values.detached()] + leaves.compactMap(\.gradient)
        }
        let expected = gradients(.float64) { hidden, weight in
            hidden.linear(weight).logSoftmax().gathered(1, targets.unsqueezed(1)).squeezed(1)
        }
        let found = gradients(.float32) {
            Tensor.tokenLogProbabilities(hidden: $0, weight: $1, targets: targets, chunkRows: rows)
        }
        for (mine, right) in zip(found, expected) { #expect(difference(mine.doubles, right.doubles) < 2e-5) }
    }

    @Test("entropies come with the same log-probabilities", arguments: [DType.float64, .float32], [1.0, 0.7])
    func entropies(dtype: DType, temperature: Double) {
        let (hidden, weight) = (random([9, 16], seed: 1), random([601, 16], seed: 2))
        let targets = Tensor((0..<9).map { $0 * 60 })
        let all = (hidden.linear(weight) / temperature).logSoftmax()
        let expected = -(all.exp() * all).sum(-1)
        let (values, entropies) = Tensor.tokenLogProbabilitiesAndEntropies(
            hidden: hidden.to(dtype),
            weight: weight.to(dtype),
            targets: targets,
            temperature: temperature,
            chunkRows: 4
        )
        let alone = Tensor.tokenLogProbabilities(
            hidden: hidden.to(dtype),
            weight: weight.to(dtype),
            targets: targets,
            temperature: temperature,
            chunkRows: 4
        )
        #expect(values.doubles == alone.doubles)
        let tolerance = dtype == .float64 ? 1e-12 : 2e-5
        #expect(difference(entropies.doubles, expected.doubles) < tolerance)
    }

    /// Log-probabilities of every token of one distribution given by its logits, the entropy, and the logits' gradient
    /// from the log-probability of token 1.
    private func distribution(_ logits: [Float]) -> (values: [Double], entropy: Double, gradient: [Double]) {
        let count = logits.count
        let ones = Tensor([Float](repeating: 1, count: count), shape: [count, 1])
        let weight = Tensor(logits, shape: [count, 1])
        let targets = Tensor(Array(0..<count))
        let (values, entropies) = Tensor.tokenLogProbabilitiesAndEntropies(
            hidden: ones,
            weight: weight,
            targets: targets
        )
        weight.requiresGradient = true
        Tensor.tokenLogProbabilities(hidden: ones, weight: weight, targets: targets).narrowed(0, 1..<2).sum().backward()
        return (values.doubles, entropies.doubles[0], weight.gradient?.doubles ?? [])
    }

    @Test("logits of ten thousand and of minus infinity neither overflow nor spread NaN")
    func extremeLogits() {
        let large = distribution([1e4, 1e4, -1e4, 9_000, 0, 1, 2, 3, -.infinity])
        #expect(difference(Array(large.values.prefix(2)), [-0.6931472, -0.6931472]) < 1e-6)
        #expect(abs(large.values[2] + 20_000.693) < 0.01 && large.values[8] == -.infinity)
        #expect(abs(large.entropy - 0.6931472) < 1e-6)
        #expect(difference(large.gradient, [-0.5, 0.5, 0, 0, 0, 0, 0, 0, 0]) < 1e-6)
        let small = distribution([Float](repeating: -1e4, count: 8))
        #expect(difference(small.values, [Double](repeating: -2.0794415, count: 8)) < 1e-6)
        #expect(distribution([.nan, 1, 2]).values.allSatisfy { $0.isNaN })
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
