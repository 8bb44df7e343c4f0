import Torch

/// Preference optimisation without a reference model: −log σ(β·(a(w) − a(l)) − γ), a(y) = log π(y) / |y|.
///
/// SimPO (arXiv 2405.14734), equation 6. Its authors' code takes the ratio γ/β, here γ is itself; label smoothing and the
/// hinge max(0, 1 − (β·(a(w) − a(l)) − γ)) are that code's. Rewards are β·a.
public struct SimplePreference: PreferenceLoss, Equatable {
    /// How the margin becomes a loss.
    public enum Link: Sendable, Equatable {
        /// −(1 − ε)·log σ(x) − ε·log σ(−x), where ε is the assumed share of swapped labels.
        case logistic(labelSmoothing: Double)
        /// max(0, 1 − x).
        case hinge
    }

    /// β: the scale of rewards.
    public var beta: Double
    /// γ: by how much the reward of chosen should win.
    public var gamma: Double
    /// How the margin becomes a loss.
    public var link: Link

    /// SimPO.
    public init(beta: Double, gamma: Double, link: Link = .logistic(labelSmoothing: 0)) {
        self.beta = beta
        self.gamma = gamma
        self.link = link
    }

    /// Nothing.
    public var referenceNeed: ReferenceNeed { .none }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        let means = pairs.means
        let (chosen, rejected) = (beta * means.chosen, beta * means.rejected)
        let logits = chosen - rejected - gamma
        let losses =
            switch link {
            case .logistic(let labelSmoothing): logisticLoss(logits, labelSmoothing: labelSmoothing)
            case .hinge: (1 - logits).clamped(0, nil)
            }
        return PreferenceOutcome(losses: losses, chosenRewards: chosen, rejectedRewards: rejected)
    }
}
