import Foundation
import Testing
import Torch

@testable import Models

@Suite("Choosing the next token")
struct SamplingTests {
    /// Token 2 is the likeliest, then 0, 3 and 1.
    static let probabilities = [0.3, 0.05, 0.5, 0.15]

    /// How often each token is chosen for a thousand evenly spread numbers, in thousandths.
    private func shares(_ parameters: SamplingParameters, mayStop: Bool = true) -> [Double] {
        let count = 1000
        let row = Tensor(Self.probabilities.map { Float(log($0)) }, shape: [1, 4])
        let logits = Tensor.concatenated(Array(repeating: row, count: count))
        let (tokens, _) = parameters.choose(
            logits,
            uniforms: (0..<count).map { (Double($0) + 0.5) / Double(count) },
            mayStop: Array(repeating: mayStop, count: count)
        )
        return (0..<4).map { token in Double(tokens.count { $0 == token }) }
    }

    static let cases: [(topK: Int, topP: Double, temperature: Double, expected: [Double])] = [
        (0, 1, 1, [300, 50, 500, 150]),
        (2, 1, 1, [375, 0, 625, 0]),
        (1, 1, 1, [0, 0, 1000, 0]),
        (99, 1, 1, [300, 50, 500, 150]),
        // 0.5 + 0.3 is the first sum of at least 0.7.
        (0, 0.7, 1, [375, 0, 625, 0]),
        (0, 0.45, 1, [0, 0, 1000, 0]),
        (0, 0.9, 1, [315.8, 0, 526.3, 157.9]),
        (0, 1e-9, 1, [0, 0, 1000, 0]),
        // Among three of 0.95 together, two hold 0.84.
        (3, 0.82, 1, [375, 0, 625, 0]),
        // p² over 0.365.
        (0, 1, 0.5, [246.6, 6.8, 684.9, 61.6]),
    ]

    @Test("shares are those computed by hand", arguments: cases)
    func filters(topK: Int, topP: Double, temperature: Double, expected: [Double]) {
        let parameters = SamplingParameters(maxNewTokens: 1, temperature: temperature, topK: topK, topP: topP)
        for (found, expected) in zip(shares(parameters), expected) { #expect(abs(found - expected) <= 1.5) }
    }

    @Test("a token that may not come does not, and the others share its part")
    func minimum() {
        let parameters = SamplingParameters(maxNewTokens: 1, stopTokens: [2, 99])
        for (found, expected) in zip(shares(parameters, mayStop: false), [600.0, 100, 0, 300]) {
            #expect(abs(found - expected) <= 1.5)
        }
        let greedy = SamplingParameters(maxNewTokens: 1, isGreedy: true, stopTokens: [2])
        #expect(shares(greedy, mayStop: false) == [1000, 0, 0, 0])
        #expect(shares(greedy) == [0, 0, 1000, 0])
    }

    @Test("log-probabilities are those of the tempered distribution without filters")
    func logProbabilities() {
        let row = Tensor(Self.probabilities.map { Float(log($0)) }, shape: [1, 4])
        func found(_ parameters: SamplingParameters) -> Double {
            Double(parameters.choose(row, uniforms: [0], mayStop: [true]).logProbabilities[0])
        }
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, topK: 1)) - log(0.5)) < 1e-6)
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, temperature: 0.5, topK: 1)) - log(0.25 / 0.365)) < 1e-6)
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, temperature: 0.5, isGreedy: true)) - log(0.5)) < 1e-6)
    }

    @Test("logits that are no numbers choose a token of the vocabulary")
    func notFinite() {
        for parameters in [SamplingParameters(maxNewTokens: 1), .init(maxNewTokens: 1, topK: 3, topP: 0.5)] {
            let logits = Tensor.full([1, 4], .nan)
            let tokens = parameters.choose(logits, uniforms: [1 - 0x1p-53], mayStop: [true]).tokens
            #expect((0..<4).contains(tokens[0]))
        }
    }

    @Test("streams are uniform, and differ by seed and by index")
    func streams() {
        func numbers(_ seed: UInt64, _ index: UInt64) -> [Double] {
            var stream = RandomStream(seed: seed, index: index)
            return (0..<1000).map { _ in stream.next() }
        }
        #expect(numbers(1, 2) == numbers(1, 2))
        let all = [numbers(1, 2), numbers(1, 3), numbers(2, 2), numbers(2, 1), numbers(0, 0), numbers(.max, .max)]
        #expect(Set(all).count == 6)
        for numbers in all {
            #expect(numbers.allSatisfy { (0..<1).contains($0) })
            // The mean of a thousand has a deviation of 0.0091.
            #expect(abs(numbers.reduce(0, +) / 1000 - 0.5) < 0.04)
            for tenth in 0..<10 {
                let count = numbers.count { Int($0 * 10) == tenth }
                #expect(abs(count - 100) < 45)
            }
        }
        let firsts = (0..<1000).map { numbers(5, UInt64($0))[0] }
        #expect(abs(firsts.reduce(0, +) / 1000 - 0.5) < 0.04)
    }
}
