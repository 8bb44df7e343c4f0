import Torch

/// Identity preference optimisation: (z − 1/(2β))².
///
/// z = log π(w)/π_ref(w) − log π(l)/π_ref(l). IPO (arXiv 2310.12036), equation 17, with τ = β: the loss is 0 where the log-ratio
/// of chosen to rejected has grown by exactly 1/(2β). Rewards are β·log π/π_ref.
public struct IdentityPreference: PreferenceLoss, Equatable {
    /// β: how strongly the policy is held to the reference model (τ of the paper).
    public var beta: Double
    /// Whether log-ratios are means over a response's tokens instead of sums.
    ///
    /// The paper and the reference code sum; then the target 1/(2β) means less the longer the responses are.
    public var averaged: Bool

    /// IPO on summed log-ratios, or on their means over tokens.
    public init(beta: Double, averaged: Bool = false) {
        self.beta = beta
        self.averaged = averaged
    }

    /// The reference model's log-probabilities.
    public var referenceNeed: ReferenceNeed { .logProbabilities }

    /// The loss and the rewards of each pair.
    public func evaluate(_ pairs: PreferenceLogProbabilities) -> PreferenceOutcome {
        var (chosen, rejected) = pairs.logRatios
        if averaged {
            chosen = chosen / pairs.perPair(pairs.chosenLengths.map { max(1, $0) })
            rejected = rejected / pairs.perPair(pairs.rejectedLengths.map { max(1, $0) })
        }
        return PreferenceOutcome(
            losses: (chosen - rejected - 1 / (2 * beta)).squared(),
            chosenRewards: beta * chosen,
            rejectedRewards: beta * rejected
        )
    }
}
