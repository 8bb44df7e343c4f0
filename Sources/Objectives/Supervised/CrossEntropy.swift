import Torch

/// The weighted negative log-likelihood of the targets: −Σ wₜ·log π(yₜ | y₍<t₎).
///
/// With weights 1/tokens it is the loss of supervised fine-tuning. Deviation from the reference: its mean is over the
/// tokens of a micro-batch, ours over those of the whole batch, so that how a batch is cut does not matter; and a batch
/// without any target has loss 0, not NaN.
/// - Parameters:
///   - logProbabilities: of the targets, `[tokens]`
///   - weights: `[tokens]`, see ``LossWeights``
/// - Returns: a scalar
public func crossEntropy(logProbabilities: Tensor, weights: Tensor) -> Tensor {
    -logProbabilities.precise.weightedSum(weights)
}
