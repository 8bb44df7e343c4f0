/// PPO: its reward, its rollouts and its updates.
///
/// RTO adds ``TokenRewardSettings``.
///
/// Defaults are those of the RTO authors' release script and, where it is silent, of their code. One differs: the script
/// turns ``normalizeReward`` on, which needs a reward model that carries its own mean and deviation.
public struct ReinforcementSettings: Equatable, Sendable {
    /// The model that scores whole responses; may be absent only when ``rewardCoefficient`` is 0.
    public var rewardModel: String?
    /// The model that the critic starts from; `nil` is the reward model, or the policy where there is none.
    public var criticModel: String?
    /// The critic's highest learning rate.
    public var criticLearningRate = 9e-6

    /// The most tokens of a prompt; longer prompts are dropped and counted.
    public var maxPromptLength = 1024
    /// How responses are sampled.
    public var sampling = SamplingSettings(minNewTokens: 1)
    /// Rollouts (responses) collected before each round of updates.
    public var rolloutBatchSize = 1024
    /// Passes over each collection of rollouts.
    public var epochs = 1
    /// What becomes of responses that were cut by the length limit.
    public var truncation = Truncation.forceEndOfSequence
    /// A file of recorded rollouts to train on instead of sampling.
    public var rollouts: String?
    /// Write every rollout with its rewards, values and advantages into the run directory.
    public var savesRollouts = false

    /// β₂: the weight of the KL penalty per token.
    public var klCoefficient = 0.01
    /// The KL divergence that an adaptive ``klCoefficient`` steers to; `nil` keeps the coefficient fixed.
    public var klTarget: Double?
    /// Over how many rollouts the adaptive coefficient moves.
    public var klHorizon = 10_000
    /// β₃: the weight of the reward model's score.
    public var rewardCoefficient = 1.0
    /// Subtract the reward model's recorded mean and divide by its deviation, in scores and in the critic's values.
    public var normalizeReward = false
    /// The bound on the absolute score, after normalisation; 0 means none.
    public var rewardClip = 10.0

    /// The discount γ.
    public var gamma = 1.0
    /// λ of generalised advantage estimation.
    public var lambda = 0.95
    /// How advantages are estimated.
    public var advantage = AdvantageEstimator.gae
    /// ε of the clipped policy objective.
    public var clipRange = 0.2
    /// ε of the clipped value loss.
    public var valueClipRange = 0.2

    /// Creates the defaults.
    public init() {}
}

/// What becomes of a response that was cut by the length limit.
public enum Truncation: String, SettingChoice {
    /// Its last token is replaced by the end of sequence, as in the reference implementation.
    case forceEndOfSequence = "force-eos"
    /// It stays as it was sampled.
    case keep
    /// It stays as it was sampled and scores the worst that the clip of scores allows.
    case penalize
}

/// An estimator of advantages.
public enum AdvantageEstimator: String, SettingChoice {
    /// Generalised advantage estimation with a critic.
    case gae

    /// Estimators of the interface that this version does not have.
    public static var later: [String] { ["reinforce++", "rloo", "grpo"] }
}
