import Torch

/// Preference optimisation within supervised fine-tuning: −a(w) − λ·log σ(log odds(w) − log odds(l)).
///
/// a(y) = log π(y) / |y| and odds(y) = p / (1 − p) with p = exp(a(y)). ORPO (arXiv 2403.07691), equations 6 and 7; it needs no reference
/// model, since the likelihood of the chosen response is part of it. Deviation: a counts as −1e-6 at most, where log(1 − p) would
/// lose its digits. Rewards are λ·a.
public struct OddsRatioPreference: PreferenceLoss, Equatable {
    /// λ: the weight of the odds ratio beside the likelihood.
    public var lambda: Double

    /// ORPO.
    public init(lambda: Double) { self.lambda = lambda }

    /// Nothing.
    public var referenceNeed: ReferenceNeed { .none }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        let (chosen, rejected) = pairs.means
        let odds = logOdds(chosen) - logOdds(rejected)
        return PreferenceOutcome(
            losses: lambda * logisticLoss(odds, labelSmoothing: 0) - chosen,
            chosenRewards: lambda * chosen,
            rejectedRewards: lambda * rejected
        )
    }

    private func logOdds(_ logarithms: Tensor) -> Tensor {
        let bounded = logarithms.clamped(nil, -1e-6)
        return bounded - (-bounded.expm1()).log()
    }
}
