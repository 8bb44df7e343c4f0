import Torch

/// RTO's reward of each token, and how many of them met the bound.
public struct TokenRewards {
    /// The rewards, `[tokens]`, without gradient.
    public let rewards: Tensor
    /// The share of tokens whose reward was cut to the bound; 0 where there are no tokens.
    public let clipFraction: Double
}

/// RTO's token reward: clamp(β₁·(log π_dpo − log π_ref), ±κ).
///
/// RTO (arXiv 2404.18922), first term of equation 4.7. The clamp is the reference code's, not the paper's, and binds after
/// scaling. Deviation from the reference code: β₁ = 0 means no token reward, there it means β₁ = 1.
/// - Parameters:
///   - dpo: log-probabilities of the response tokens under the DPO-trained model, `[tokens]`
///   - reference: the same under the reference model
///   - scale: β₁
///   - clip: κ; 0 does not bind
public func tokenRewards(dpo: Tensor, reference: Tensor, scale: Double, clip: Double) -> TokenRewards {
    // Not a product with 0, which an infinite log-ratio would turn into NaN.
    guard scale != 0 else { return TokenRewards(rewards: dpo.precise.zerosLike(), clipFraction: 0) }
    let scaled = (scale * (dpo.precise - reference.precise)).detached()
    guard clip > 0 else { return TokenRewards(rewards: scaled, clipFraction: 0) }
    let clipped = scaled.magnitude().isGreater(than: clip).to(.float64).sum().scalar
    return TokenRewards(
        rewards: scaled.clamped(-clip, clip),
        clipFraction: clipped / Double(max(1, scaled.count))
    )
}
