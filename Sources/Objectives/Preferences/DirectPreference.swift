import Torch

/// Direct preference optimisation: −(1 − ε)·log σ(β·z) − ε·log σ(−β·z).
///
/// z = log π(w)/π_ref(w) − log π(l)/π_ref(l). DPO (arXiv 2305.18290), equation 7, where ε = 0; with ε > 0 conservative DPO
/// (Mitchell, "A note on DPO with noisy preferences & relationship to IPO", 2023). Rewards are β·log π/π_ref.
public struct DirectPreference: PreferenceLoss, Equatable {
    /// β: how strongly the policy is held to the reference model.
    public var beta: Double
    /// ε: the assumed share of pairs whose labels are swapped, in [0, 0.5].
    public var labelSmoothing: Double

    /// DPO, or conservative DPO with a label smoothing above 0.
    public init(beta: Double, labelSmoothing: Double = 0) {
        self.beta = beta
        self.labelSmoothing = labelSmoothing
    }

    /// The reference model's log-probabilities.
    public var referenceNeed: ReferenceNeed { .logProbabilities }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        let (chosen, rejected) = pairs.logRatios
        return PreferenceOutcome(
            losses: logisticLoss(beta * (chosen - rejected), labelSmoothing: labelSmoothing),
            chosenRewards: beta * chosen,
            rejectedRewards: beta * rejected
        )
    }
}
