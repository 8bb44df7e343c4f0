import Torch

/// The clipped loss of a critic and what happened in it.
public struct ValueLoss {
    /// Σ wₜ·ℓₜ, a scalar.
    public let loss: Tensor
    /// The weighted share of tokens whose clipped error is the larger one, a scalar without gradient.
    public let clipFraction: Tensor
}

/// PPO's clipped value loss: ℓₜ = ½·max((Vₜ − Rₜ)², (V_oldₜ + clip(Vₜ − V_oldₜ, ±ε) − Rₜ)²).
///
/// Not in the PPO paper; described with PPO's other implementation choices in arXiv 2005.12729, section 3.
/// - Parameters:
///   - new: Vₜ, `[tokens]`; gradients flow to it
///   - old: V_oldₜ, the values at the time of the rollout, `[tokens]`
///   - returns: Rₜ, `[tokens]`
///   - weights: `[tokens]`, see ``LossWeights``
///   - clipRange: ε; `nil` does not clip
public func clippedValueLoss(
    new: Tensor,
    old: Tensor,
    returns: Tensor,
    weights: Tensor,
    clipRange: Double?
) -> ValueLoss {
    let new = new.precise
    let (old, returns) = (old.matching(new), returns.matching(new))
    let free = (new - returns).squared()
    guard let clipRange else {
        return ValueLoss(loss: 0.5 * free.weightedSum(weights), clipFraction: Tensor([0.0]).sum().matching(new))
    }
    let clipped = (old + (new - old).clamped(-clipRange, clipRange) - returns).squared()
    // old + (new − old) is not always new: where nothing was clipped, rounding alone must not count as a clip.
    let isOutside = (new - old).magnitude().isGreater(than: clipRange)
    let isClipped = clipped.isGreater(than: free).select(isOutside, isOutside.zerosLike())
    return ValueLoss(
        loss: 0.5 * clipped.maximum(free).weightedSum(weights),
        clipFraction: isClipped.to(new.dtype).weightedSum(weights)
    )
}
