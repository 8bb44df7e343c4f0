import JSONText

/// One row of the comparison.
struct PolicySummary {
    let policy: QuickstartPolicy
    /// The true reward.
    let gold: MeanWithError?
    /// The reward model's normalised score.
    let score: MeanWithError?
    /// Σ (log π − log π_ref) per response.
    let divergence: MeanWithError?
    /// The share of prompts on which gold is above that of the rival's response, ties half.
    let winRate: MeanWithError?
    /// Tokens per response, the end mark included.
    let length: MeanWithError?

    /// The means of a policy's responses; `rivals` answer the same prompts in the same order.
    init(_ policy: QuickstartPolicy, _ responses: [EvaluatedResponse], against rivals: [EvaluatedResponse]) {
        self.policy = policy
        gold = MeanWithError(responses.map(\.gold.total))
        score = MeanWithError(responses.map(\.score))
        divergence = MeanWithError(responses.map(\.logRatio))
        winRate = MeanWithError(wins(responses.map(\.gold.total), against: rivals.map(\.gold.total)))
        length = MeanWithError(responses.map { Double($0.length) })
    }

    /// Names, means and standard errors.
    var json: JSONObject {
        var object = JSONObject()
        let columns = [
            ("gold_reward", gold), ("reward_model_score", score), ("kl_to_sft", divergence),
            ("win_rate_against_sft", winRate), ("response_tokens", length),
        ]
        for (name, value) in columns {
            guard let value else { continue }
            object[name] = [
                "mean": .number(value.mean), "standard_error": value.standardError.map(JSON.number) ?? .null,
            ]
        }
        return object
    }
}
