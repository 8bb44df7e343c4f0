/// PPO: its reward, its rollouts and its updates.
///
/// RTO adds ``TokenRewardSettings``.
///
/// Defaults are those of the RTO authors' release script and, where it is silent, of their code. One differs: the script
/// turns ``normalizeReward`` on, which needs a reward model that carries its own mean and deviation.
public struct ReinforcementSettings: Equatable, Sendable {
    /// The models that score whole responses, summed with their weights; none only when ``rewardCoefficient`` is 0.
    public var rewardModels: [WeightedModel] = []
    /// Endpoints that score whole responses or their tokens, added to what reward models say.
    public var rewardURLs: [RewardAddress] = []
    /// Seconds that an endpoint may take for one answer.
    public var rewardTimeout = 180.0
    /// How often an endpoint is asked before the run stops.
    public var rewardAttempts = 10
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
    /// How the divergence is estimated that the penalty weighs.
    public var klEstimator = KLEstimatorChoice.k1
    /// Add the penalty to the policy's loss, where it has a gradient of its own, and not to the reward.
    public var klInLoss = false
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
    /// Leave whitened advantages their deviation: only their mean is subtracted.
    public var keepsAdvantageDeviation = false
    /// ε of the clipped policy objective.
    public var clipRange = 0.2
    /// ε above the ratio 1; `nil` is ``clipRange``.
    public var clipRangeHigh: Double?
    /// How many times its advantage a token of negative advantage can cost; `nil` is without a bound.
    public var dualClip: Double?
    /// The bound on the magnitude of log(π_new/π_old); `nil` binds only where the ratio would overflow.
    public var logRatioClip: Double?
    /// ε of the clipped value loss; `nil` does not clip.
    public var valueClipRange: Double? = 0.2

    /// Optimizer steps at the start in which only the critic learns.
    public var freezeActorSteps = 0
    /// How much of it the moving average of the policy's weights keeps at each step; `nil` keeps no average.
    public var emaDecay: Double?
    /// Texts whose cross entropy is added to the policy's loss.
    public var ptxSources: [DataSource] = []
    /// The weight of that cross entropy.
    public var ptxCoefficient = 0.05

    /// Creates the defaults.
    public init() {}

    /// The addresses of all endpoints.
    public var rewardAddresses: [String] { rewardURLs.flatMap(\.addresses) }

    /// The first reward model, from which the critic starts; setting it makes it the only one.
    public var rewardModel: String? {
        get { rewardModels.first?.path }
        set { rewardModels = newValue.map { [WeightedModel(path: $0)] } ?? [] }
    }
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
