import Torch

/// DPO with a penalty on length: −log σ(β·z + α·(|w| − |l|)).
///
/// z = log π(w)/π_ref(w) − log π(l)/π_ref(l), |y| in tokens. R-DPO (arXiv 2403.19159): from max E[r − α·|y|] − β·KL, whose
/// optimum has r = β·log π/π_ref + α·|y|, so a longer chosen response wins with less effort and has a smaller gradient.
/// Rewards are β·log π/π_ref, without the term of length.
public struct LengthRegularizedPreference: PreferenceLoss, Equatable {
    /// β: how strongly the policy is held to the reference model.
    public var beta: Double
    /// α: the price of a token.
    public var lengthPenalty: Double

    /// R-DPO; with a length penalty of 0 it is DPO.
    public init(beta: Double, lengthPenalty: Double) {
        self.beta = beta
        self.lengthPenalty = lengthPenalty
    }

    /// The reference model's log-probabilities.
    public var referenceNeed: ReferenceNeed { .logProbabilities }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        let (chosen, rejected) = pairs.logRatios
        let surplus = zip(pairs.chosenLengths, pairs.rejectedLengths).map { $0 - $1 }
        let logits = beta * (chosen - rejected) + lengthPenalty * pairs.perPair(surplus)
        return PreferenceOutcome(
            losses: logisticLoss(logits, labelSmoothing: 0),
            chosenRewards: beta * chosen,
            rejectedRewards: beta * rejected
        )
    }
}
