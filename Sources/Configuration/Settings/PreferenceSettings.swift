/// The objective of `rto train dpo`.
public struct PreferenceSettings: Equatable, Sendable {
    /// The loss on a pair's log-ratios.
    public var loss = PreferenceObjective.dpo
    /// β: how strongly the policy is held to the reference model.
    public var beta = 0.1
    /// ε of conservative DPO: the assumed share of swapped labels, in [0, 0.5).
    public var labelSmoothing = 0.0

    /// Creates the defaults.
    public init() {}
}

/// A loss on preference pairs.
public enum PreferenceObjective: String, SettingChoice {
    /// Direct preference optimisation, with label smoothing conservative DPO.
    case dpo
    /// Identity preference optimisation on summed log-ratios.
    case ipo

    /// Losses of the interface that this version does not have.
    public static var later: [String] { ["rdpo", "simpo", "tdpo1", "tdpo2"] }
    /// TRL's name of the DPO loss.
    public static var synonyms: [String: PreferenceObjective] { ["sigmoid": .dpo] }
}
