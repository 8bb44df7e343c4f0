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

/// PPO's clipped objective: ℓₜ = −min(qₜ·Âₜ, clip(qₜ, 1 − ε, 1 + ε)·Âₜ) with qₜ = π_new/π_old.
///
/// PPO (arXiv 1707.06347), equation 7. Sequence weights give the reference code's mean over rows of each row's mean, token
/// weights the mean over tokens. Deviation: log q stops where the exponential would overflow (88 in float32), so that a
/// clipped token has gradient 0 there and not 0·∞.
/// - Parameters:
///   - new: log π_new of the tokens, `[tokens]`; gradients flow to it
///   - old: log π_old of the tokens, of the policy that drew them
///   - advantages: Âₜ, `[tokens]`
///   - weights: `[tokens]`, see ``LossWeights``
///   - clipRange: ε
public func clippedPolicyLoss(
    new: Tensor,
    old: Tensor,
    advantages: Tensor,
    weights: Tensor,
    clipRange: Double
) -> PolicyLoss {
    let new = new.precise
    let advantages = advantages.matching(new)
    let logRatio = (new - old.matching(new)).clamped(nil, new.dtype == .float64 ? 709 : 88)
    let ratio = logRatio.exp()
    let free = ratio * advantages
    let clipped = ratio.clamped(1 - clipRange, 1 + clipRange) * advantages
    let loss = -free.minimum(clipped).weightedSum(weights)
    return withoutGradients {
        PolicyLoss(
            loss: loss,
            clipFraction: clipped.isLess(than: free).to(new.dtype).weightedSum(weights),
            approximateKL: KLEstimator.k3(-logRatio).weightedSum(weights),
            meanRatio: ratio.weightedSum(weights)
        )
    }
}
