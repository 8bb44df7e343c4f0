import Torch

/// The clipped loss of a policy and what happened in it; everything but the loss is without gradient.
///
/// The statistics are Σ wₜ·sₜ as the loss is, so those of micro-batches add up to the batch's mean.
public struct PolicyLoss {
    /// Σ wₜ·ℓₜ, a scalar.
    public let loss: Tensor
    /// The share of tokens whose clipped term is the smaller one, a scalar.
    public let clipFraction: Tensor
    /// The mean of (q − 1) − log q, an estimate of KL(π_old‖π_new), a scalar.
    public let approximateKL: Tensor
    /// The mean of q = π_new/π_old, a scalar.
    public let meanRatio: Tensor
}

/// How far a policy may move from the one that drew a token before the token stops teaching it.
public struct PolicyClip: Sendable, Equatable {
    /// ε₋: ratios below 1 − ε₋ are clipped.
    public var lower: Double
    /// ε₊: ratios above 1 + ε₊ are clipped.
    public var upper: Double
    /// c, the second clip; `nil` is none.
    public var dual: Double?
    /// The bound on |log q|; `nil` binds only where the exponential would overflow.
    public var logRatio: Double?

    /// PPO's clip, unless a wider bound above (DAPO, arXiv 2503.14476, section 3.1), a second clip or a bound is given.
    public init(_ lower: Double, upper: Double? = nil, dual: Double? = nil, logRatio: Double? = nil) {
        self.lower = lower
        self.upper = upper ?? lower
        self.dual = dual
        self.logRatio = logRatio
    }
}

/// PPO's clipped objective: ℓₜ = −min(qₜ·Âₜ, clip(qₜ, 1 − ε₋, 1 + ε₊)·Âₜ) with qₜ = π_new/π_old.
///
/// PPO (arXiv 1707.06347), equation 7. With the second clip (arXiv 1912.09729, equation 5) a token with Âₜ < 0 costs at most
/// −c·Âₜ. Sequence weights give RTO's reference code's mean over rows of each row's mean, token weights the mean over tokens.
/// Deviation from that code: log q stops where the exponential would overflow (88 in float32), so that a clipped token has
/// gradient 0 there and not 0·∞. OpenRLHF brings it into ±20.
/// - Parameters:
///   - new: log π_new of the tokens, `[tokens]`; gradients flow to it
///   - old: log π_old of the tokens, of the policy that drew them
///   - advantages: Âₜ, `[tokens]`
///   - weights: `[tokens]`, see ``LossWeights``
public func clippedPolicyLoss(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    weights: Tensor,
    clip: PolicyClip
) -> PolicyLoss {
    let new = new.precise
    let advantages = advantages.matching(new)
    let logRatio = (new - old.matching(new))
        .clamped(clip.logRatio.map { -$0 }, clip.logRatio ?? (new.dtype == .float64 ? 709 : 88))
    let ratio = logRatio.exp()
    let free = ratio * advantages
    let clipped = ratio.clamped(1 - clip.lower, 1 + clip.upper) * advantages
    let bounded = clip.dual.map { secondClip(free.minimum(clipped), advantages, $0) } ?? free.minimum(clipped)
    let loss = -bounded.weightedSum(weights)
    return withoutGradients {
        PolicyLoss(
            loss: loss,
            clipFraction: clipped.isLess(than: free).to(new.dtype).weightedSum(weights),
            approximateKL: KLEstimator.k3(-logRatio).weightedSum(weights),
            meanRatio: ratio.weightedSum(weights)
        )
    }
}

/// max(x, c·Â) where Â < 0, x elsewhere.
private func secondClip(_ objective: Tensor, _ advantages: Tensor, _ bound: Double) -> Tensor {
    advantages.isLess(than: advantages.zerosLike())
        .select(objective.maximum(advantages * bound), objective)
}
