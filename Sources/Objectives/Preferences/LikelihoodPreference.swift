import Torch

/// A preference loss plus the negative log-likelihood of the chosen response: L + c·(−log π(w) / |w|).
///
/// It keeps the chosen response likely where a loss on differences alone lets both responses fade: the term of RPO (arXiv
/// 2404.19733), equation 1, and OpenRLHF's `nll_loss_coef`. SimPO's authors weigh the tokens of all chosen responses of a micro-batch the
/// same instead (`sft_weight`), which depends on how a batch is cut; here every response weighs the same. Rewards are L's.
public struct LikelihoodPreference: PreferenceLoss {
    /// L.
    public var loss: any PreferenceLoss
    /// c.
    public var coefficient: Double

    /// A loss with the likelihood of the chosen response beside it.
    public init(_ loss: any PreferenceLoss, coefficient: Double) {
        self.loss = loss
        self.coefficient = coefficient
    }

    /// What the loss itself needs.
    public var referenceNeed: ReferenceNeed { loss.referenceNeed }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        let outcome = loss.evaluate(pairs)
        return PreferenceOutcome(
            losses: outcome.losses - coefficient * pairs.means.chosen,
            chosenRewards: outcome.chosenRewards,
            rejectedRewards: outcome.rejectedRewards
        )
    }
}
