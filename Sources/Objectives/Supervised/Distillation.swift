import Torch

/// Learning from a text and from a teacher's distributions at once: Σ wₜ·((1 − c)·(−log p(yₜ)) − c·Σᵥ q(v)·log p(v)).
///
/// p is the student, q the teacher, yₜ the token that the text has. Hinton et al. (arXiv 1503.02531), section 2, at temperature 1; the
/// weights are OpenRLHF's `kd_coef`. The second term is the cross-entropy KL(q ‖ p) + H(q). Deviation from OpenRLHF: its mask of the second
/// term is not shifted, so it compares the distributions one position too late, behind each response token and not in front
/// of it, and leaves out the first; here both terms are of the same tokens.
/// - Parameters:
///   - logProbabilities: log p(yₜ), `[tokens]`
///   - divergences: KL(q ‖ p), `[tokens]`
///   - teacherEntropies: H(q), `[tokens]`
///   - coefficient: c
///   - weights: `[tokens]`, see ``LossWeights``
/// - Returns: a scalar
public func distillationLoss(
    logProbabilities: Tensor,
    divergences: Tensor,
    teacherEntropies: Tensor,
    coefficient: Double,
    weights: Tensor
) -> Tensor {
    let taught = (divergences.precise + teacherEntropies.precise).weightedSum(weights)
    return (1 - coefficient) * crossEntropy(logProbabilities: logProbabilities, weights: weights) + coefficient * taught
}
