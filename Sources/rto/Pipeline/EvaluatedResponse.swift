import PocketWorld

/// One response with everything that is known of it.
struct EvaluatedResponse {
    let prompt: String
    /// The text of each token; the end mark is shown as `<end>`.
    let pieces: [String]
    let gold: GoldScore
    /// The reward model's score, normalised as in training.
    let score: Double
    /// Σ (log π − log π_ref) over the tokens: one sample of the KL divergence.
    let logRatio: Double
    /// RTO's reward of each token, scaled and clipped as in training.
    let tokenRewards: [Double]

    var length: Int { pieces.count }

    /// A response to a prompt of the pocket world, judged by its gold reward.
    init(_ scored: ScoredResponse) throws {
        self.init(
            prompt: scored.sample.prompt,
            pieces: scored.pieces,
            gold: try GoldReward().score(
                prompt: scored.sample.prompt,
                response: scored.sample.completion,
                isFinished: scored.sample.isFinished
            ),
            score: scored.score,
            logRatio: scored.logRatio,
            tokenRewards: scored.tokenRewards
        )
    }

    init(prompt: String, pieces: [String], gold: GoldScore, score: Double, logRatio: Double, tokenRewards: [Double]) {
        self.prompt = prompt
        self.pieces = pieces
        self.gold = gold
        self.score = score
        self.logRatio = logRatio
        self.tokenRewards = tokenRewards
    }

    /// What the gold reward pays at each token beside the price of a word; nothing where words and tokens differ.
    var goldPerToken: [Double]? {
        let earned = gold.perWord
        // A response that was cut has no token for what is earned at its end.
        guard pieces.count == earned.count || pieces.count == earned.count - 1 else { return nil }
        return pieces.indices.map { earned[$0] - ($0 < gold.words.count ? GoldEvent.word.value : 0) }
    }
}

/// Whether the token reward knows where the gold reward pays: its mean at tokens of three kinds.
struct CreditSummary {
    /// Where gold is earned, where it is lost, and at all other tokens.
    let earned, lost, neutral: MeanWithError?
    /// The probability that a token that earns gold has a larger token reward than one that loses it.
    let separation: Double?

    /// The tokens of responses in which each word is one token.
    init(_ responses: [EvaluatedResponse]) {
        var rewards: [[Double]] = [[], [], []]
        for response in responses {
            guard let gold = response.goldPerToken else { continue }
            // Sums of decimal values are not exactly zero.
            for (reward, value) in zip(response.tokenRewards, gold) {
                rewards[value > 1e-9 ? 0 : value < -1e-9 ? 1 : 2].append(reward)
            }
        }
        (earned, lost, neutral) = (MeanWithError(rewards[0]), MeanWithError(rewards[1]), MeanWithError(rewards[2]))
        separation = Self.separation(rewards[0], rewards[1])
    }

    /// The Mann–Whitney statistic over the number of pairs; ties count half.
    private static func separation(_ better: [Double], _ worse: [Double]) -> Double? {
        guard !better.isEmpty, !worse.isEmpty else { return nil }
        let sorted = worse.sorted()
        let won = better.reduce(0.0) { total, value in
            let below = sorted.partitionPoint { $0 < value }
            let notAbove = sorted.partitionPoint { $0 <= value }
            return total + Double(below + notAbove) / 2
        }
        return won / Double(better.count) / Double(worse.count)
    }
}

extension Array {
    /// How many elements at the front fulfil a condition that none behind them does.
    fileprivate func partitionPoint(_ isInFront: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isInFront(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
