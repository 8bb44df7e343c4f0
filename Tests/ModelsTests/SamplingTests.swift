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
        let tokens = parameters.choose(
            logits,
            uniforms: (0..<count).map { (Double($0) + 0.5) / Double(count) },
            mayStop: Array(repeating: mayStop, count: count)
        ).map(\.token)
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
            Double(parameters.choose(row, uniforms: [0], mayStop: [true])[0].logProbability)
        }
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, topK: 1)) - log(0.5)) < 1e-6)
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, temperature: 0.5, topK: 1)) - log(0.25 / 0.365)) < 1e-6)
        #expect(abs(found(SamplingParameters(maxNewTokens: 1, temperature: 0.5, isGreedy: true)) - log(0.5)) < 1e-6)
    }

    @Test("logits that are no numbers choose a token of the vocabulary")
    func notFinite() {
        for parameters in [SamplingParameters(maxNewTokens: 1), .init(maxNewTokens: 1, topK: 3, topP: 0.5)] {
            let logits = Tensor.full([1, 4], .nan)
            for choose in [parameters.choose, parameters.plainChoose] {
                #expect((0..<4).contains(choose(logits, [1 - 0x1p-53], [true])[0].token))
            }
        }
    }

    static let rules: [SamplingParameters] = [
        SamplingParameters(maxNewTokens: 1),
        SamplingParameters(maxNewTokens: 1, temperature: 0.7),
        SamplingParameters(maxNewTokens: 1, topK: 40),
        SamplingParameters(maxNewTokens: 1, temperature: 0.4, topP: 0.8),
        SamplingParameters(maxNewTokens: 1, topP: 0.999),
        SamplingParameters(maxNewTokens: 1, temperature: 1.5, topK: 300, topP: 0.5),
        SamplingParameters(maxNewTokens: 1, isGreedy: true),
    ]

    @Test("the fused pass equals the plain one", arguments: rules, [1, 7, 512, 513, 3001])
    func fusedEqualsPlain(parameters: SamplingParameters, vocabulary: Int) {
        var parameters = parameters
        parameters.stopTokens = vocabulary > 1 ? [0, vocabulary / 2, vocabulary + 5] : []
        parameters.reportedToken = vocabulary - 1
        let count = 60
        let logits = Tensor.empty([count, vocabulary])
        logits.fillNormal(deviation: 3, Generator(seed: 3))
        var stream = RandomStream(seed: 1, index: 2)
        let uniforms = (0..<count).map { _ in stream.next() }
        let mayStop = (0..<count).map { $0 % 3 > 0 }
        let fused = parameters.choose(logits, uniforms: uniforms, mayStop: mayStop)
        let plain = parameters.plainChoose(logits, uniforms: uniforms, mayStop: mayStop)
        // A draw within a rounding error of the boundary between two tokens may take either.
        #expect(zip(fused, plain).count { $0.token != $1.token } <= 1)
        for (fused, plain) in zip(fused, plain) where fused.token == plain.token {
            #expect(abs(fused.logProbability - plain.logProbability) <= 2e-5)
            #expect(abs(fused.entropy - plain.entropy) <= 2e-5)
            #expect(abs(fused.reportedLogProbability - plain.reportedLogProbability) <= 2e-5)
        }
        for (choice, mayStop) in zip(fused, mayStop) {
            #expect((0..<vocabulary).contains(choice.token))
            #expect(mayStop || !parameters.stopTokens.contains(choice.token))
        }
        // One row alone, in memory that begins elsewhere, chooses the same.
        let alone = parameters.choose(logits.narrowed(0, 7..<8), uniforms: [uniforms[7]], mayStop: [mayStop[7]])[0]
        #expect(alone.token == fused[7].token && alone.logProbability == fused[7].logProbability)
    }

    @Test("a token beside which all others vanish is chosen, and a forbidden one leaves the rest")
    func certain() {
        var row = [Float](repeating: -200, count: 1200)
        row[700] = 50
        row[3] = -199
        let logits = Tensor(row, shape: [1, 1200])
        let parameters = SamplingParameters(maxNewTokens: 1, stopTokens: [700])
        for uniform in [0, 0.5, 1 - 0x1p-53] {
            #expect(parameters.choose(logits, uniforms: [uniform], mayStop: [true])[0].token == 700)
        }
        let others = (0..<100).map {
            parameters.choose(logits, uniforms: [Double($0) / 100], mayStop: [false])[0].token
        }
        #expect(!others.contains(700) && Set(others).count > 90)
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
