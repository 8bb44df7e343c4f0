/// The objective of `rto train dpo`.
///
/// The defaults are those of appendix D of the RTO paper, ORPO's that of its paper.
public struct PreferenceSettings: Equatable, Sendable {
    /// The loss on pairs; another loss brings its own β, unless β differs from that of the loss before.
    public var loss = PreferenceObjective.dpo {
        didSet { if beta == oldValue.beta { beta = loss.beta } }
    }
    /// β: how strongly the policy is held to the reference model; of SimPO the scale of rewards, of ORPO λ.
    public var beta = PreferenceObjective.dpo.beta
    /// ε of conservative DPO: the assumed share of swapped labels, in [0, 0.5).
    public var labelSmoothing = 0.0
    /// α of R-DPO: the price of a token.
    public var lengthAlpha = 0.001
    /// γ of SimPO: by how much the reward of chosen should win.
    public var simpoGamma = 0.5
    /// SimPO's hinge max(0, 1 − x) in place of −log σ(x).
    public var simpoHinge = false
    /// α of TDPO₂: the weight of the divergences.
    public var tdpoAlpha = 0.2
    /// IPO on means over tokens in place of sums.
    public var ipoAverage = false
    /// The weight of the chosen responses' negative log-likelihood beside the loss.
    public var nllCoefficient = 0.0

    /// Creates the defaults.
    public init() {}
}

/// A loss on preference pairs.
public enum PreferenceObjective: String, SettingChoice {
    /// Direct preference optimisation, with label smoothing conservative DPO.
    case dpo
    /// Identity preference optimisation.
    case ipo
    /// DPO with a penalty on length.
    case rdpo
    /// Rewards per token, without a reference model.
    case simpo
    /// DPO with a divergence at every token.
    case tdpo1, tdpo2
    /// Supervised fine-tuning with a ratio of odds, without a reference model.
    case orpo

    /// β where none is given.
    public var beta: Double { self == .simpo ? 2.5 : 0.1 }

    /// Whether the loss does without a reference model.
    public var isReferenceFree: Bool { self == .simpo || self == .orpo }

    /// TRL's name of the DPO loss.
    public static var synonyms: [String: PreferenceObjective] { ["sigmoid": .dpo] }
}
