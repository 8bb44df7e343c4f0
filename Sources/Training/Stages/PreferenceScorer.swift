import Configuration
import Models
import Objectives
import Torch

extension PreferenceSettings {
    /// The equation of the loss.
    var objective: any PreferenceLoss {
        let objective: any PreferenceLoss =
            switch loss {
            case .dpo: DirectPreference(beta: beta, labelSmoothing: labelSmoothing)
            case .ipo: IdentityPreference(beta: beta, averaged: ipoAverage)
            case .rdpo: LengthRegularizedPreference(beta: beta, lengthPenalty: lengthAlpha)
            case .simpo:
                SimplePreference(
                    beta: beta,
                    gamma: simpoGamma,
                    link: simpoHinge ? .hinge : .logistic(labelSmoothing: labelSmoothing)
                )
            case .tdpo1: TokenLevelPreference(beta: beta, form: .first)
            case .tdpo2: TokenLevelPreference(beta: beta, form: .second(alpha: tdpoAlpha))
            case .orpo: OddsRatioPreference(lambda: beta)
            }
        return nllCoefficient == 0 ? objective : LikelihoodPreference(objective, coefficient: nllCoefficient)
    }
}

/// The reference model as far as a preference loss needs it.
enum PreferenceReference {
    /// Not at all.
    case none
    /// Once for each response: its log-probabilities are kept.
    case logProbabilities(LanguageModel)
    /// Beside the policy at every step.
    case distributions(LanguageModel)
}

/// Scores batches of pairs by a policy and what its loss needs of the reference model.
struct PreferenceScorer {
    let policy: LanguageModel
    let reference: PreferenceReference

    /// log π_ref of each row's response where the loss wants just that, or nil.
    func referenceSums(_ batches: [ResponseBatch]) -> [Double]? {
        guard case .logProbabilities(let model) = reference else { return nil }
        return withoutGradients { batches.flatMap { $0.ragged.sums(model.logProbabilities($0)).doubles } }
    }

    /// What the loss sees of the pairs of a batch, whose rows come in turn, chosen and rejected.
    func callAsFunction(_ batch: ResponseBatch, referenceSums: [Double]?) -> PreferenceLogProbabilities {
        let rows = batch.ragged
        guard case .distributions(let model) = reference else {
            let sums = rows.sums(policy.logProbabilities(batch))
            let known = referenceSums.map { Tensor($0.map(Float.init)).to(sums.device) }
            return pairs(batch, sums, reference: known, divergences: nil)
        }
        let found = policy.distributions(batch, against: model)
        return pairs(
            batch,
            rows.sums(found.logProbabilities),
            reference: rows.sums(found.referenceLogProbabilities),
            divergences: rows.sums(found.divergences)
        )
    }

    private func pairs(
        _ batch: ResponseBatch,
        _ sums: Tensor,
        reference: Tensor?,
        divergences: Tensor?
    ) -> PreferenceLogProbabilities {
        let (chosen, rejected) = sums.chosenAndRejected
        let known = reference?.chosenAndRejected
        return PreferenceLogProbabilities(
            chosen: chosen,
            rejected: rejected,
            referenceChosen: known?.chosen,
            referenceRejected: known?.rejected,
            divergences: divergences?.chosenAndRejected,
            chosenLengths: batch.lengths.alternate(from: 0),
            rejectedLengths: batch.lengths.alternate(from: 1)
        )
    }
}
