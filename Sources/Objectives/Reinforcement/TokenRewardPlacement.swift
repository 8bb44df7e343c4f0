import Torch

/// Where the token rewards of a response are paid: RTO (arXiv 2404.18922) and the ablations of its section 5.2.
///
/// With D_t the token rewards of a response, already scaled and clipped, and S their sum, all but ``shaping`` pay S in all.
public enum TokenRewardPlacement: Sendable, Equatable {
    /// D_t at token t: RTO.
    case token
    /// The sum of each sentence at its last token: Semi-RTO. What follows the last sentence is paid at the last token.
    case sentence
    /// S at the last token: DDPO.
    case end
    /// D_t at token t, and −S at the last token: RS-PPO, which moves reward and adds none.
    case shaping

    /// The rewards of each token where they are paid.
    ///
    /// The paper names no delimiters of sentences and does not say whether its KL term moves; here it stays at its tokens.
    /// Sums are added up in float64 and rounded once.
    /// - Parameters:
    ///   - tokenRewards: D_t, `[tokens]`, see ``tokenRewards(dpo:reference:scale:clip:)``
    ///   - endsSentence: whether a token ends a sentence, `[tokens]`; asked of ``sentence`` alone
    /// - Returns: `[tokens]`, without gradient
    public func callAsFunction(_ tokenRewards: Tensor, rows: RaggedRows, endsSentence: (Int) -> Bool) -> Tensor {
        switch self {
        case .token: tokenRewards
        case .sentence: moved(tokenRewards, to: sentenceEnds(rows, endsSentence))
        case .end: moved(tokenRewards, to: lastTokens(rows))
        case .shaping:
            (tokenRewards.to(.float64) - moved(tokenRewards.to(.float64), to: lastTokens(rows)))
                .to(tokenRewards.dtype)
        }
    }

    /// Each token's reward added at another token.
    private func moved(_ rewards: Tensor, to places: [Int]) -> Tensor {
        let exact = rewards.to(.float64)
        return exact.zerosLike().adding(exact, at: Tensor(places).to(rewards.device), along: 0).to(rewards.dtype)
    }

    private func lastTokens(_ rows: RaggedRows) -> [Int] {
        (0..<rows.rowCount).flatMap { repeatElement(rows.range($0).upperBound - 1, count: rows.lengths[$0]) }
    }

    private func sentenceEnds(_ rows: RaggedRows, _ endsSentence: (Int) -> Bool) -> [Int] {
        var places = lastTokens(rows)
        for row in 0..<rows.rowCount {
            for token in rows.range(row).dropLast().reversed() {
                places[token] = endsSentence(token) ? token : places[token + 1]
            }
        }
        return places
    }
}
