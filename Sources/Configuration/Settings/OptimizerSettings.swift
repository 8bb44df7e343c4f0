/// AdamW, its schedule and the gradient's norm.
///
/// The learning rates are those of the papers' runs on 8-billion-parameter models: RTO from the authors' release
/// script, PPO, DPO and the reward model from appendix D of the RTO paper, SFT, KTO and distillation from OpenRLHF's scripts.
public struct OptimizerSettings: Equatable, Sendable {
    /// The highest learning rate of the schedule.
    public var learningRate: Double
    /// How the learning rate moves after warm-up.
    public var schedule = LearningRateSchedule.cosineWithMinimum
    /// The share of all steps during which the learning rate rises from 0.
    public var warmupRatio = 0.03
    /// Where `cosine-with-min-lr` ends, as a share of the highest learning rate.
    public var minimumRatio = 0.1
    /// AdamW's decoupled weight decay.
    public var weightDecay = 0.0
    /// AdamW's decay of the mean gradient.
    public var beta1 = 0.9
    /// AdamW's decay of the mean squared gradient.
    public var beta2 = 0.95
    /// AdamW's term against division by zero.
    public var epsilon = 1e-8
    /// The global gradient norm above which gradients are scaled down; 0 never scales.
    public var maxGradientNorm = 1.0
    /// How the tokens of a batch are weighed in the loss (SFT, KD, PPO and RTO; preference losses are sums per response).
    public var lossNormalization: LossNormalization

    /// Creates the defaults of a stage.
    public init(stage: Stage) {
        learningRate =
            switch stage {
            case .sft, .kd: 5e-6
            case .reward: 1e-6
            case .dpo, .kto: 5e-7
            case .ppo: 8e-7
            case .rto: 5e-7
            }
        lossNormalization = stage.isReinforcement ? .sequence : .token
    }
}

/// How the learning rate moves after warm-up.
public enum LearningRateSchedule: String, SettingChoice {
    case constant, linear, cosine
    case cosineWithMinimum = "cosine-with-min-lr"
}

/// The weights of a batch's tokens in its loss.
public enum LossNormalization: String, SettingChoice {
    /// Every token of the batch weighs the same.
    case token
    /// Every sequence weighs the same, whatever its length (what the reference implementation of PPO and RTO does).
    case sequence
    /// Every token weighs the same in every batch: one over sequences times the greatest length of a response (Dr. GRPO).
    case constant
}
