import Testing
import Torch

@testable import Models

@Suite("Sequences that come and go")
struct GenerationSessionTests {
    /// Requests that have nothing in common.
    private static var requests: [SequenceRequest] {
        let prompts = [[1, 5, 9], [1], [4, 4, 4, 4, 4, 4], [1, 5, 9], [30, 31], [8, 7, 6, 5], [2], [3, 3]]
        return prompts.enumerated().map { number, prompt in
            var parameters = SamplingParameters(maxNewTokens: 3 + number, stopTokens: [2, 7])
            parameters.temperature = [1, 0.5, 2][number % 3]
            parameters.topK = number == 4 ? 3 : 0
            parameters.topP = number == 5 ? 0.7 : 1
            parameters.isGreedy = number == 2
            parameters.minNewTokens = number == 6 ? 5 : 0
            return SequenceRequest(
                prompt: prompt,
                parameters: parameters,
                stream: RandomStream(seed: 100 + UInt64(number), index: UInt64(number % 2)),
                alternatives: number % 2 == 0 ? 3 : nil
            )
        }
    }

    private static func alone(_ request: SequenceRequest) throws -> Completion {
        var session = GenerationSession(try TinyModel.make(), slots: 1, capacity: 20)
        session.join(request)
        var completion: Completion?
        while !session.isIdle { completion = session.advance().compactMap(\.completion).first ?? completion }
        return try #require(completion)
    }

    @Test("each is what it is alone, whenever it joins and whatever is beside it", arguments: [1, 2, 3, 8])
    func joining(slots: Int) throws {
        let expected = try Self.requests.map(Self.alone)
        for pause in 0..<3 {
            var session = GenerationSession(try TinyModel.make(), slots: slots, capacity: 20)
            var found: [Int: Completion] = [:]
            var tokens: [Int: [Int]] = [:]
            func advance() {
                for step in session.advance() {
                    if let choice = step.choice { tokens[step.id, default: []].append(choice.token) }
                    if let completion = step.completion { found[step.id] = completion }
                }
            }
            for (number, request) in Self.requests.enumerated() {
                #expect(session.join(request) == number)
                for _ in 0..<pause { advance() }
            }
            while !session.isIdle { advance() }
            #expect(session.count == 0)
            for (number, completion) in expected.enumerated() {
                #expect(found[number]?.tokens == completion.tokens && tokens[number] == completion.tokens)
                #expect(found[number]?.isFinished == completion.isFinished)
            }
        }
    }

    @Test("a session that never rests forgets none of those who wait")
    func restless() throws {
        var session = GenerationSession(try TinyModel.make(), slots: 2, capacity: 8)
        let request = SequenceRequest(
            prompt: [1, 4],
            parameters: SamplingParameters(maxNewTokens: 2),
            stream: RandomStream(seed: 1, index: 1)
        )
        var ended: [Int] = []
        for _ in 0..<3000 {
            session.join(request)
            ended += session.advance().filter { $0.completion != nil }.map(\.id)
        }
        while !session.isIdle { ended += session.advance().filter { $0.completion != nil }.map(\.id) }
        #expect(ended.sorted() == Array(0..<3000))
    }

    @Test("who leaves makes room, and disturbs nobody")
    func leaving() throws {
        let expected = try Self.requests.map(Self.alone)
        var session = GenerationSession(try TinyModel.make(), slots: 2, capacity: 20)
        var found: [Int: Completion] = [:]
        for request in Self.requests { session.join(request) }
        _ = session.advance()
        // One that is sampled, one that waits, one that is not there.
        session.leave(1)
        session.leave(4)
        session.leave(99)
        #expect(session.count == Self.requests.count - 2)
        while !session.isIdle {
            for step in session.advance() { if let completion = step.completion { found[step.id] = completion } }
        }
        #expect(found.keys.sorted() == [0, 2, 3, 5, 6, 7])
        for (number, completion) in found { #expect(completion.tokens == expected[number].tokens) }
    }

    @Test("log-probabilities are the model's own, of prompt and answer, whatever the temperature")
    func likelihoods() throws {
        let model = try TinyModel.make()
        let prompt = [1, 5, 9, 4]
        var session = GenerationSession(model, slots: 4, capacity: 20)
        for temperature in [1, 0.3] {
            session.join(
                SequenceRequest(
                    prompt: prompt,
                    parameters: SamplingParameters(maxNewTokens: 6, temperature: temperature),
                    stream: RandomStream(seed: 3, index: 0),
                    alternatives: 4,
                    scoresPrompt: true
                )
            )
        }
        var scored: [Int: [TokenLikelihood]] = [:]
        while !session.isIdle {
            for step in session.advance() {
                scored[step.id, default: []] += (step.promptLikelihoods ?? []) + [step.likelihood].compactMap(\.self)
            }
        }
        for number in [0, 1] {
            let found = try #require(scored[number])
            let ids = prompt.prefix(1) + found.map(\.token)
            #expect(ids.count == prompt.count + 6 && ids.starts(with: prompt))
            let expected = model.sequenceLogProbabilities([Array(ids)])[0]
            let top = model.topLogits(TokenBatch([Array(ids)]), count: 4).ids.integers
            for (place, likelihood) in found.enumerated() {
                #expect(abs(likelihood.logProbability - expected[place]) < 1e-4)
                #expect(likelihood.alternatives.map(\.token) == Array(top[place * 4..<place * 4 + 4]))
                #expect(
                    likelihood.alternatives.allSatisfy {
                        $0.token != likelihood.token || $0.logProbability == likelihood.logProbability
                    }
                )
            }
        }
    }

    @Test("a prompt alone can be asked about")
    func promptAlone() throws {
        var session = GenerationSession(try TinyModel.make(), slots: 1, capacity: 3)
        let request = SequenceRequest(
            prompt: [1, 5, 9],
            parameters: SamplingParameters(maxNewTokens: 0),
            stream: RandomStream(seed: 1, index: 0),
            alternatives: 0,
            scoresPrompt: true
        )
        session.join(request)
        let steps = session.advance()
        #expect(steps.count == 1 && steps[0].choice == nil && steps[0].likelihood == nil && session.isIdle)
        #expect(steps[0].completion?.tokens.isEmpty == true && steps[0].promptLikelihoods?.map(\.token) == [5, 9])
        #expect(session.advance().isEmpty)
    }
}
