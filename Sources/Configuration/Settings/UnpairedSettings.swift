/// The objective of `rto train kto`.
public struct UnpairedSettings: Equatable, Sendable {
    /// β: how strongly the policy is held to the reference model; 0.1 as in KTO's paper and OpenRLHF's script.
    public var beta = 0.1
    /// The weight of good responses.
    public var desirableWeight = 1.0
    /// The weight of bad responses.
    public var undesirableWeight = 1.0

    /// Creates the defaults.
    public init() {}
}

/// The objective of `rto train kd`.
public struct DistillationSettings: Equatable, Sendable {
    /// The model whose distributions are learned; must be given.
    public var teacherModel = ""
    /// The weight of the teacher beside the completion itself, in [0, 1]; OpenRLHF's.
    public var coefficient = 0.4

    /// Creates the defaults.
    public init() {}
}

/// The objective of `rto train reward`.
public struct RewardSettings: Equatable, Sendable {
    /// The loss on the gap of a pair's rewards.
    public var loss = RewardObjective.sigmoid
    /// Whether the chosen reward must win by the row's `margin`.
    public var usesMargin = false

    /// Creates the defaults.
    public init() {}
}

/// A loss on the rewards of preference pairs.
public enum RewardObjective: String, SettingChoice {
    /// −log σ(gap).
    case sigmoid
    /// log(1 + exp(−gap)): the same function, as OpenRLHF names it; it knows no margin there.
    case logexp
}
