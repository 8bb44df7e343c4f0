import Torch

/// The reward of each token that PPO maximises: rₜ = −β₂·klₜ + dₜ + 1[t is last]·β₃·clamp(ρ, ±c).
///
/// RTO (arXiv 2404.18922), equation 4.7; without token rewards that of PPO. The clamp of the score is the reference code's,
/// which has c = 10 and β₃ = 1; as there, a negative β₂ counts as 0.
/// - Parameters:
///   - kl: an estimate of the divergence from the reference at each token, `[tokens]`
///   - klCoefficient: β₂
///   - tokenRewards: dₜ, `[tokens]`; none is 0
///   - scores: ρ, one a row, normalised already where they should be, `[rows]`; a row without tokens loses its score
///   - rewardCoefficient: β₃
///   - rewardClip: c; 0 does not bind
/// - Returns: `[tokens]`
public func shapedRewards(
    kl: Tensor,
    klCoefficient: Double,
    tokenRewards: Tensor?,
    scores: Tensor,
    rewardCoefficient: Double,
    rewardClip: Double,
    rows: RaggedRows
) -> Tensor {
    let penalty = kl.precise * -max(0, klCoefficient)
    let dense = tokenRewards.map { penalty + $0.matching(penalty) } ?? penalty
    let bounded = rewardClip > 0 ? scores.precise.clamped(-rewardClip, rewardClip) : scores.precise
    let paid = (rewardCoefficient * bounded).rows(rows.nonEmptyRows).matching(dense)
    return dense.adding(paid, at: Tensor(rows.lastTokens).to(dense.device), along: 0)
}
