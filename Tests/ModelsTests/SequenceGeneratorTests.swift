import Testing
import Torch

@testable import Models

@Suite("Sampling sequences")
struct SequenceGeneratorTests {
    static let prompts = [[1, 5, 9], [1], [4, 4, 4, 4, 4, 4], [1, 5, 9], [1, 5, 9], [30, 31], [8, 7, 6, 5]]

    private func generate(
        _ parameters: SamplingParameters,
        _ prompts: [[Int]] = prompts,
        samples: Int = 3,
        concurrency: Int = 256,
        cacheBytes: Int = 2 << 30,
        seed: UInt64 = 11,
        firstIndex: UInt64 = 0
    ) throws -> [Completion] {
        try SequenceGenerator(TinyModel.make(), parameters, concurrency: concurrency, cacheBytes: cacheBytes)
            .generate(prompts, samplesPerPrompt: samples, seed: seed, firstIndex: firstIndex)
    }

    private let parameters = SamplingParameters(maxNewTokens: 9, stopTokens: [2, 7])

    @Test("a sample does not depend on what is sampled beside it", arguments: [1, 2, 5, 21])
    func concurrency(concurrency: Int) throws {
        let expected = try generate(parameters)
        let found = try generate(parameters, concurrency: concurrency)
        #expect(found.map(\.tokens) == expected.map(\.tokens))
        #expect(found.map(\.isFinished) == expected.map(\.isFinished))
        let small = try generate(parameters, cacheBytes: 1)
        #expect(small.map(\.tokens) == expected.map(\.tokens))
    }

    @Test("samples of a prompt are numbered one after the other, and differ")
    func numbering() throws {
        let all = try generate(parameters)
        let repeated = try generate(parameters, Self.prompts.flatMap { [$0, $0, $0] }, samples: 1)
        #expect(repeated.map(\.tokens) == all.map(\.tokens))
        let later = try generate(parameters, Array(Self.prompts[2...]), firstIndex: 6)
        #expect(later.map(\.tokens) == all[6...].map(\.tokens))
        #expect(Set(all.map(\.tokens)).count > 15)
        #expect(try generate(parameters, seed: 12).map(\.tokens) != all.map(\.tokens))
    }

    @Test("what ends a completion: a stop token, the length, or the caller")
    func ends() throws {
        let completions = try generate(parameters)
        #expect(Set(completions.map(\.isFinished)).count == 2)
        for completion in completions {
            let stops = completion.tokens.indices.filter { [2, 7].contains(completion.tokens[$0]) }
            #expect(stops == (completion.isFinished ? [completion.tokens.count - 1] : []))
            #expect(completion.isFinished || completion.tokens.count == 9)
            #expect(completion.logProbabilities.count == completion.tokens.count)
        }
        var generator = try SequenceGenerator(TinyModel.make(), SamplingParameters(maxNewTokens: 9))
        generator.endsCompletion = { $0.count == 4 }
        let ended = try generator.generate(Self.prompts, seed: 11)
        #expect(ended.allSatisfy { $0.tokens.count == 4 && $0.isFinished })
    }

    @Test("the fewest and the most tokens are kept")
    func limits() throws {
        var parameters = parameters
        parameters.minNewTokens = 6
        #expect(try generate(parameters).allSatisfy { (7...9).contains($0.tokens.count) })
        parameters.minNewTokens = 0
        parameters.maxNewTokens = 1
        #expect(try generate(parameters).allSatisfy { $0.tokens.count == 1 })
        parameters.maxNewTokens = 0
        #expect(try generate(parameters).allSatisfy { $0.tokens.isEmpty })
        #expect(try generate(parameters, []).isEmpty)
    }

    @Test("lengths and numbers beyond any memory are an error", arguments: [1 << 40, Int.max])
    func absurd(count: Int) throws {
        #expect(throws: ModelError.self) { try generate(SamplingParameters(maxNewTokens: count)) }
        #expect(throws: ModelError.self) { try generate(parameters, samples: count) }
    }

    @Test("the sampler's log-probabilities are the scorer's", arguments: [1.0, 0.6])
    func logProbabilities(temperature: Double) throws {
        var parameters = parameters
        parameters.temperature = temperature
        let completions = try generate(parameters, samples: 1)
        let rows = ResponseBatch(
            zip(Self.prompts, completions).map { .init(prompt: $0, response: $1.tokens) }
        )
        let scored = withoutGradients { try? TinyModel.make().logProbabilities(rows, temperature: temperature) }
        let found = completions.flatMap(\.logProbabilities)
        #expect(zip(found, try #require(scored).floats).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(found.count == rows.targets.count)
        let entropies = try TinyModel.make().logProbabilitiesAndEntropies(rows, temperature: temperature).1.floats
        #expect(zip(completions.flatMap(\.entropies), entropies).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("the reported token's log-probability is the scorer's in the place of the last token")
    func reportedToken() throws {
        var parameters = parameters
        parameters.reportedToken = 13
        let completions = try generate(parameters, samples: 1)
        let rows = ResponseBatch(
            zip(Self.prompts, completions).map { .init(prompt: $0, response: $1.tokens.dropLast() + [13]) }
        )
        let scored = try withoutGradients { try TinyModel.make().logProbabilities(rows).floats }
        var end = 0
        for completion in completions {
            end += completion.tokens.count
            #expect(abs(completion.reportedLogProbability - scored[end - 1]) < 1e-4)
        }
        #expect(try generate(self.parameters, samples: 1).allSatisfy { $0.reportedLogProbability.isNaN })
    }

    @Test("greedy completions take the likeliest token each time")
    func greedy() throws {
        let model = try TinyModel.make()
        let found = try generate(SamplingParameters(maxNewTokens: 5, isGreedy: true), samples: 1)
        for (prompt, completion) in zip(Self.prompts, found) {
            var ids = prompt
            for token in completion.tokens {
                let logits = withoutGradients { model.logits(TokenBatch([ids])).selected(0, ids.count - 1) }
                #expect(logits.argmax().integers == [token])
                ids.append(token)
            }
        }
    }

    @Test("first tokens come as often as the model says")
    func frequencies() throws {
        let model = try TinyModel.make()
        let probabilities = withoutGradients { model.logits(TokenBatch([[1, 5]])).selected(0, 1).softmax().doubles }
        let count = 4000
        let found = try generate(SamplingParameters(maxNewTokens: 1), [[1, 5]], samples: count)
        for (token, probability) in probabilities.enumerated() {
            let expected = Double(count) * probability
            let deviation = (expected * (1 - probability)).squareRoot()
            let seen = Double(found.count { $0.tokens == [token] })
            #expect(abs(seen - expected) <= 4.5 * deviation + 1, "token \(token)")
        }
    }
}
