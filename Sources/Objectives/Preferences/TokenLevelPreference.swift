import Torch

/// DPO with a forward KL divergence at every token: −log σ(β·(z − α·(D(l) − D(w)))).
///
/// z = log π(w)/π_ref(w) − log π(l)/π_ref(l), and D(y) = Σₜ KL(π_ref(·|y₍<t₎) ‖ π(·|y₍<t₎)) over the whole vocabulary, through which
/// gradients flow to π. TDPO (arXiv 2404.11999), section 4: TDPO₁ has α = 1; TDPO₂ chooses α and takes D(w) as a
/// constant. Rewards are β·(log π/π_ref + D), as its authors' code logs them.
public struct TokenLevelPreference: PreferenceLoss, Equatable {
    /// Which of the two losses.
    public enum Form: Sendable, Equatable {
        /// TDPO₁.
        case first
        /// TDPO₂ with its α; at 0 its loss is DPO's.
        case second(alpha: Double)
    }

    /// β: how strongly the policy is held to the reference model.
    public var beta: Double
    /// Which of the two losses.
    public var form: Form

    /// TDPO.
    public init(beta: Double, form: Form) {
        self.beta = beta
        self.form = form
    }

    /// The reference model's distributions.
    public var referenceNeed: ReferenceNeed { .distributions }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        guard let divergences = pairs.divergences else {
            preconditionFailure("this preference loss needs the distributions of the reference model")
        }
        let (chosen, rejected) = pairs.logRatios
        let penalty =
            switch form {
            case .first: divergences.rejected - divergences.chosen
            case .second(let alpha): alpha * (divergences.rejected - divergences.chosen.detached())
            }
        return PreferenceOutcome(
            losses: logisticLoss(beta * (chosen - rejected - penalty), labelSmoothing: 0),
            chosenRewards: beta * (chosen + divergences.chosen),
            rejectedRewards: beta * (rejected + divergences.rejected)
        )
    }
}
