import Torch

extension GenerationSession {
    /// Appends one token to the given active sequences; those that end leave.
    mutating func sample(
        _ logits: Tensor,
        for rows: [Int],
        promptLikelihoods: [Int: [TokenLikelihood]]
    ) -> [SequenceStep] {
        let choices = choose(logits, for: rows)
        let likelihoods = likelihoods(logits, for: rows, choices)
        var steps: [SequenceStep] = []
        for (place, row) in rows.enumerated() {
            let choice = active[row].request.parameters.maxNewTokens > 0 ? choices[place] : nil
            if let choice { append(choice, to: row) }
            steps.append(
                SequenceStep(
                    id: active[row].id,
                    choice: choice,
                    likelihood: choice == nil ? nil : likelihoods[place],
                    promptLikelihoods: promptLikelihoods[active[row].id],
                    completion: active[row].isOver ? active[row].completion : nil
                )
            )
        }
        freeSlots += active.filter(\.isOver).map(\.slot)
        active.removeAll(where: \.isOver)
        return steps
    }

    private mutating func append(_ choice: TokenChoice, to row: Int) {
        active[row].completion.append(choice)
        let request = active[row].request
        active[row].completion.isFinished =
            request.parameters.stopTokens.contains(choice.token)
            || request.endsCompletion?(active[row].completion.tokens) == true
    }

    /// A choice for each row; rows that choose alike are chosen for together.
    private mutating func choose(_ logits: Tensor, for rows: [Int]) -> [TokenChoice] {
        let uniforms = rows.map { active[$0].stream.next() }
        let mayStop = rows.map { active[$0].completion.tokens.count >= active[$0].request.parameters.minNewTokens }
        let numbers = rows.map { active[$0].ruleNumber }
        guard let first = numbers.first, numbers.contains(where: { $0 != first }) else {
            return rows.first.map { active[$0].rule.choose(logits, uniforms: uniforms, mayStop: mayStop) } ?? []
        }
        var choices = [TokenChoice?](repeating: nil, count: rows.count)
        for (_, places) in Dictionary(grouping: numbers.indices, by: { numbers[$0] }) {
            let found = active[rows[places[0]]].rule.choose(
                logits.rows(places),
                uniforms: places.map { uniforms[$0] },
                mayStop: places.map { mayStop[$0] }
            )
            for (place, choice) in zip(places, found) { choices[place] = choice }
        }
        return choices.compactMap(\.self)
    }

    /// What the model says of the chosen tokens, by their places, where that is asked for.
    private func likelihoods(_ logits: Tensor, for rows: [Int], _ choices: [TokenChoice]) -> [Int: TokenLikelihood] {
        let places = rows.indices.filter {
            active[rows[$0]].request.alternatives != nil && active[rows[$0]].request.parameters.maxNewTokens > 0
        }
        guard !places.isEmpty else { return [:] }
        let counts = places.map { active[rows[$0]].request.alternatives ?? 0 }
        let found = TokenLikelihood.read(
            places.count == rows.count ? logits : logits.rows(places),
            tokens: places.map { choices[$0].token },
            alternatives: counts
        )
        return Dictionary(uniqueKeysWithValues: zip(places, found))
    }

    /// What the model says of prompts' tokens but the first, by the sequences' numbers, where that is asked for.
    ///
    /// - Parameter hidden: the final states of the prompts' tokens
    func promptLikelihoods(
        _ hidden: Tensor,
        _ batch: TokenBatch,
        _ segments: [Int],
        _ joined: [ActiveSequence]
    ) -> [Int: [TokenLikelihood]] {
        var found: [Int: [TokenLikelihood]] = [:]
        // Samples of one prompt come one behind the other.
        var last: (segment: Int, alternatives: Int?, found: [TokenLikelihood])?
        for (sequence, segment) in zip(joined, segments) where sequence.request.scoresPrompt {
            let alternatives = sequence.request.alternatives
            if let last, last.segment == segment, last.alternatives == alternatives {
                found[sequence.id] = last.found
                continue
            }
            let range = batch.segments[segment].range
            let size = Tensor.logitChunkRows(vocabulary: model.configuration.vocabularySize, on: model.device)
            let end = range.upperBound - 1
            let scored = stride(from: range.lowerBound, to: end, by: size).flatMap { start in
                let chunk = start..<min(start + size, end)
                return TokenLikelihood.read(
                    model.project(hidden.narrowed(0, chunk)),
                    tokens: chunk.map { batch.tokens[$0 + 1] },
                    alternatives: chunk.map { _ in alternatives ?? 0 }
                )
            }
            found[sequence.id] = scored
            last = (segment, alternatives, scored)
        }
        return found
    }
}

/// What a model says of a token in its place: by its own distribution, without temperature and filters.
public struct TokenLikelihood: Sendable, Equatable {
    /// A token that might stand there.
    public struct Alternative: Sendable, Equatable {
        /// Its id.
        public let token: Int
        /// log π of it.
        public let logProbability: Float
    }

    /// The id of the token that stands there.
    public let token: Int
    /// log π of it.
    public let logProbability: Float
    /// The likeliest tokens, the likeliest first, as many as were asked for.
    public let alternatives: [Alternative]

    /// Reads rows of logits `[rows, vocabulary]`.
    static func read(_ logits: Tensor, tokens: [Int], alternatives counts: [Int]) -> [TokenLikelihood] {
        let all = logits.logSoftmax()
        let chosen = all.gathered(1, Tensor(tokens, shape: [tokens.count, 1]).to(logits.device)).floats
        let width = min(counts.max() ?? 0, logits.size(1))
        let top = width > 0 ? all.top(width) : nil
        let values = top?.values.floats ?? []
        let ids = top?.indices.integers ?? []
        return tokens.indices.map { row in
            TokenLikelihood(
                token: tokens[row],
                logProbability: chosen[row],
                alternatives: (0..<min(counts[row], width)).map {
                    Alternative(token: ids[row * width + $0], logProbability: values[row * width + $0])
                }
            )
        }
    }
}
