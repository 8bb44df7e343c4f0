import Testing

@testable import Torch

@Suite("Two models' distributions, compared without matrices of logits")
struct TokenDistributionsTests {
    private func random(_ shape: [Int], seed: UInt64) -> Tensor {
        let tensor = Tensor.empty(shape, .float64)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor
    }

    private func difference(_ first: Tensor, _ second: Tensor) -> Double {
        guard first.shape == second.shape else { return .infinity }
        return (first.to(.float64) - second.to(.float64)).magnitude().max().scalar
    }

    /// The four results and the gradients of states and weight, of two models of different widths.
    private func run(
        _ dtype: DType,
        tokens: Int = 9,
        vocabulary: Int = 23,
        _ body: (_ hidden: Tensor, _ weight: Tensor, _ other: Tensor, _ otherWeight: Tensor, _ targets: Tensor) ->
            [Tensor]
    ) -> [Tensor] {
        let (hidden, weight) = (random([tokens, 5], seed: 1).to(dtype), random([vocabulary, 5], seed: 2).to(dtype))
        for leaf in [hidden, weight] { leaf.requiresGradient = true }
        let results = body(
            hidden,
            weight,
            random([tokens, 3], seed: 3).to(dtype),
            random([vocabulary, 3], seed: 4).to(dtype),
            Tensor((0..<tokens).map { $0 * 7 % vocabulary })
        )
        #expect(results.map(\.requiresGradient) == [true, false, true, false])
        let upstream = random([2, tokens], seed: 5)
        let scalar =
            results[0].to(.float64) * upstream.selected(0, 0) + results[2].to(.float64) * upstream.selected(0, 1)
        scalar.sum().backward()
        return results.map { $0.detached() } + [hidden, weight].compactMap(\.gradient)
    }

    private func found(
        _ dtype: DType,
        tokens: Int = 9,
        vocabulary: Int = 23,
        chunkRows: Int,
        caps: (Double, Double)? = nil
    ) -> [Tensor] {
        run(dtype, tokens: tokens, vocabulary: vocabulary) {
            let found = TokenDistributions(
                hidden: $0,
                weight: $1,
                softCap: caps?.0,
                referenceHidden: $2,
                referenceWeight: $3,
                referenceSoftCap: caps?.1,
                targets: $4,
                chunkRows: chunkRows
            )
            return [
                found.logProbabilities, found.referenceLogProbabilities, found.divergences, found.referenceEntropies,
            ]
        }
    }

    private func expected(tokens: Int = 9, vocabulary: Int = 23, caps: (Double, Double)? = nil) -> [Tensor] {
        run(.float64, tokens: tokens, vocabulary: vocabulary) { hidden, weight, other, otherWeight, targets in
            let logits = (hidden.linear(weight), other.linear(otherWeight))
            let p = (caps.map { logits.0.softCapped($0.0) } ?? logits.0).logSoftmax()
            let q = (caps.map { logits.1.softCapped($0.1) } ?? logits.1).logSoftmax()
            let ids = targets.unsqueezed(1)
            return [
                p.gathered(1, ids).squeezed(1), q.gathered(1, ids).squeezed(1), (q.exp() * (q - p)).sum(1),
                -(q.exp() * q).sum(1),
            ]
        }
    }

    @Test("values and gradients are log_softmax's, whatever the chunk", arguments: [1, 2, 4, 9, 100])
    func chunks(rows: Int) {
        let expected = expected()
        for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 2e-5), (.bfloat16, 0.2)] {
            let found = found(dtype, chunkRows: rows)
            #expect(found.count == 6)
            for (mine, right) in zip(found, expected) { #expect(difference(mine, right) < tolerance) }
        }
    }

    @Test("each model's logits may have a soft cap", arguments: [2, 100])
    func softCaps(rows: Int) {
        let expected = expected(caps: (1.5, 0.8))
        for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 2e-5), (.bfloat16, 0.2)] {
            let found = found(dtype, chunkRows: rows, caps: (1.5, 0.8))
            for (mine, right) in zip(found, expected) { #expect(difference(mine, right) < tolerance) }
        }
    }

    @Test("more than may be kept for the backward pass is computed again")
    func recomputed() {
        // Two models' log-probabilities are 72 MB.
        let expected = expected(tokens: 4500, vocabulary: 2003)
        let found = found(.float32, tokens: 4500, vocabulary: 2003, chunkRows: 1000)
        for (mine, right) in zip(found.dropLast(), expected) { #expect(difference(mine, right) < 5e-5) }
        // Four and a half thousand rows are summed.
        #expect(difference(found[5], expected[5]) < 1e-3)
    }

    @Test("a model does not diverge from itself, and no gradient pulls at it")
    func same() {
        let (hidden, weight) = (random([4, 5], seed: 1).to(.float32), random([23, 5], seed: 2).to(.float32))
        let leaf = hidden.clone()
        leaf.requiresGradient = true
        let found = TokenDistributions(
            hidden: leaf,
            weight: weight,
            referenceHidden: hidden,
            referenceWeight: weight,
            targets: Tensor([0, 5, 22, 3])
        )
        #expect(found.divergences.doubles == [0, 0, 0, 0])
        #expect(found.logProbabilities.doubles == found.referenceLogProbabilities.doubles)
        found.divergences.sum().backward()
        #expect(leaf.gradient?.doubles.allSatisfy { $0 == 0 } == true)
    }

    @Test("logits of ten thousand and of minus infinity are exact where the reference never goes")
    func extreme() {
        func compare(_ policy: [Float], _ reference: [Float]) -> (divergence: Double, gradient: [Double]) {
            let one = Tensor([1] as [Float], shape: [1, 1])
            let weight = Tensor(policy, shape: [policy.count, 1])
            weight.requiresGradient = true
            let found = TokenDistributions(
                hidden: one,
                weight: weight,
                referenceHidden: one,
                referenceWeight: Tensor(reference, shape: [reference.count, 1]),
                targets: Tensor([0])
            )
            found.divergences.sum().backward()
            return (found.divergences.scalar, weight.gradient?.doubles ?? [])
        }
        let forbidden = compare([0, 0, -.infinity], [1e4, 1e4, -.infinity])
        #expect(forbidden.divergence == 0 && forbidden.gradient == [0, 0, 0])
        let far = compare([1e4, 0, 0], [0, 1e4, 0])
        #expect(far.divergence == 1e4 && far.gradient == [1, -1, 0])
    }
}
