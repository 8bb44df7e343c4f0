import Models
import Objectives
import Torch

/// What a model learns of completions: the completions themselves and, where it has a teacher, the teacher's distributions.
struct CompletionLoss {
    let policy: LanguageModel
    let teacher: Teacher?

    /// A frozen model, and how much it counts.
    struct Teacher {
        let model: LanguageModel
        let coefficient: Double
    }

    /// Numbers of a batch, each Σ wₜ·xₜ over its response tokens.
    struct Statistics {
        var loss = 0.0
        /// −log p of the completion.
        var crossEntropy = 0.0
        /// KL(teacher ‖ policy), where there is a teacher.
        var divergence: Double?

        static func += (sum: inout Statistics, part: Statistics) {
            sum.loss += part.loss
            sum.crossEntropy += part.crossEntropy
            sum.divergence = part.divergence.map { $0 + (sum.divergence ?? 0) } ?? sum.divergence
        }
    }

    /// The loss of a micro-batch, from which gradients flow, and its numbers.
    func callAsFunction(_ batch: ResponseBatch, weights: Tensor) -> (loss: Tensor, statistics: Statistics) {
        guard let teacher else {
            let loss = crossEntropy(logProbabilities: policy.logProbabilities(batch), weights: weights)
            let value = loss.scalar
            return (loss, Statistics(loss: value, crossEntropy: value))
        }
        let found = policy.distributions(batch, against: teacher.model)
        let loss = distillationLoss(
            logProbabilities: found.logProbabilities,
            divergences: found.divergences,
            teacherEntropies: found.referenceEntropies,
            coefficient: teacher.coefficient,
            weights: weights
        )
        let parts = withoutGradients {
            [-found.logProbabilities, found.divergences].map { (weights.to($0.device).to($0.dtype) * $0).sum().scalar }
        }
        return (loss, Statistics(loss: loss.scalar, crossEntropy: parts[0], divergence: parts[1]))
    }
}
