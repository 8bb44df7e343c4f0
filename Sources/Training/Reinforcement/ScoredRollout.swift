import Objectives
import Torch

/// Everything computed of a rollout before the first update; flat `[response tokens]` unless said otherwise, float32.
struct ScoredRollout {
    /// log π of the policy that sampled, at the sampling temperature.
    let logProbabilities: Tensor
    /// Entropy of the policy's distributions, in nats.
    let entropies: Tensor
    /// log π_ref.
    let reference: Tensor
    /// log π_dpo, where there is a DPO model.
    let dpo: Tensor?
    /// β₁·log(π_dpo/π_ref), clipped, where it is paid.
    let tokenRewards: Tensor?
    /// Share of the token rewards that the clip changed.
    let clipFraction: Double
    /// The score of each sequence, normalised if asked, before the clip and before any baseline: `[rows]`.
    let scores: Tensor
    /// The parts of the scores that several reward sources gave, `[rows]` each.
    let parts: [Tensor]
    /// What is paid at each token.
    let rewards: Tensor
    /// The critic's values before each token, where there is a critic.
    let values: Tensor?
    /// Advantages as they are estimated.
    let advantages: Tensor
    /// What the policy learns from: the same, whitened over all tokens of the rollout where the estimator asks for it.
    let whitenedAdvantages: Tensor
    /// Discounted returns, which the critic learns.
    let returns: Tensor

    /// log π − log π_ref.
    var kl: Tensor { KLEstimator.k1.estimate(policy: logProbabilities, reference: reference) }
}
