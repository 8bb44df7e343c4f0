/// An estimator of advantages.
public enum AdvantageEstimator: String, SettingChoice {
    /// Generalised advantage estimation with a critic.
    case gae
    /// REINFORCE++: discounted returns, whitened over the rollout.
    case reinforce = "reinforce++"
    /// REINFORCE++ on scores less the mean of their prompt's samples.
    case reinforceBaseline = "reinforce++-baseline"
    /// RLOO: scores less the mean of their prompt's other samples.
    case leaveOneOut = "rloo"
    /// GRPO: scores normalised by mean and deviation of their prompt's samples.
    case groupNormalized = "grpo"
    /// Dr. GRPO: scores less the mean of their prompt's samples, not whitened.
    case groupCentered = "dr-grpo"

    /// OpenRLHF's names.
    public static var synonyms: [String: AdvantageEstimator] {
        [
            "reinforce": .reinforce, "reinforce_baseline": .reinforceBaseline, "reinforce-baseline": .reinforceBaseline,
            "group_norm": .groupNormalized, "group-norm": .groupNormalized,
        ]
    }

    /// Whether values of a critic are needed; otherwise none is loaded.
    public var needsCritic: Bool { self == .gae }
    /// Whether the samples of a prompt are measured against each other.
    public var comparesSamples: Bool { self != .gae && self != .reinforce }
    /// Whether advantages are whitened over all tokens of the rollout.
    public var whitens: Bool { self == .gae || self == .reinforce || self == .reinforceBaseline }
    /// Whether rewards can be discounted.
    public var discounts: Bool { self == .gae || self == .reinforce }
}

/// An estimator of the KL divergence from the reference at single tokens, with d = log(π/π_ref).
public enum KLEstimatorChoice: String, SettingChoice {
    /// d.
    case k1
    /// d²/2.
    case k2
    /// e⁻ᵈ − 1 + d.
    case k3
}
