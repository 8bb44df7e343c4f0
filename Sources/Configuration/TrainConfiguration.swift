/// Everything that `rto train` needs to know: one stage with every setting resolved.
///
/// A setting that does not apply to the stage keeps its default and cannot be given.
public struct TrainConfiguration: Sendable, Equatable {
    /// What is trained.
    public let stage: Stage
    /// The checkpoints to start from.
    public var model = ModelSettings()
    /// The number format, the device, and memory against time.
    public var compute = ComputeSettings()
    /// The rows to train and evaluate on.
    public var data = DataSettings()
    /// AdamW and its schedule.
    public var optimizer: OptimizerSettings
    /// The adapter that is trained instead of all weights.
    public var lora = LoRASettings()
    /// How long to train, and what to write.
    public var loop: LoopSettings
    /// The loss on pairs (DPO).
    public var preference = PreferenceSettings()
    /// The loss on single responses (KTO).
    public var unpaired = UnpairedSettings()
    /// The teacher and its weight (distillation).
    public var distillation = DistillationSettings()
    /// The loss on rewards (reward model).
    public var rewardLoss = RewardSettings()
    /// PPO's reward, rollouts and updates (PPO and RTO).
    public var reinforcement = ReinforcementSettings()
    /// The DPO model's token rewards (RTO).
    public var tokenReward = TokenRewardSettings()

    /// Creates the defaults of a stage.
    public init(stage: Stage) {
        self.stage = stage
        optimizer = OptimizerSettings(stage: stage)
        loop = LoopSettings(stage: stage)
        if stage.isReinforcement { data.maxLength = nil }
    }

    /// How responses are sampled.
    public var sampling: SamplingSettings {
        get { reinforcement.sampling }
        set { reinforcement.sampling = newValue }
    }

    /// The directory that the critic starts from: the critic model, else the reward model, else the policy.
    public var criticDirectory: String {
        reinforcement.criticModel ?? reinforcement.rewardModel ?? model.model
    }

    /// The most tokens a prompt may have to be sampled from: the prompt limit, and what the sequence limit leaves.
    public var promptLimit: Int {
        guard let maxLength = data.maxLength else { return reinforcement.maxPromptLength }
        return min(reinforcement.maxPromptLength, maxLength - reinforcement.sampling.maxNewTokens)
    }

    /// Sentences about settings that were given and have no effect beside the others; for the person, not errors.
    public var notes: [String] {
        guard stage.isReinforcement else { return [] }
        var notes: [String] = []
        if let rollouts = reinforcement.rollouts {
            let except = reinforcement.advantage.comparesSamples ? " but --samples-per-prompt" : ""
            notes.append(
                "--rollouts \(rollouts) replaces sampling: --data and the settings of sampling\(except) have no effect"
            )
        }
        if reinforcement.klInLoss && reinforcement.klEstimator == .k1 {
            notes.append("--kl-in-loss: the gradient of --kl-estimator k1 is 0 on average; k2 and k3 hold the policy")
        }
        if reinforcement.advantage == .groupCentered && optimizer.lossNormalization == .sequence {
            notes.append(
                "--advantage dr-grpo: --loss-normalization sequence divides by each response's length, the bias that Dr. GRPO "
                    + "takes out; its own is constant"
            )
        }
        return notes
    }
}

extension TrainConfiguration: Configurable, Computing, ReadingRows, Sampling {
    /// "rto train" and the stage.
    public var command: String { stage.command }

    /// What the stage does.
    public var overview: String {
        switch stage {
        case .sft: "Fine-tune a model on completions."
        case .reward: "Train a reward model on preference pairs."
        case .dpo: "Optimise a policy directly on preference pairs."
        case .kto: "Optimise a policy on responses that are good or bad by themselves."
        case .kd: "Fine-tune a model on completions and on a teacher's distributions."
        case .ppo: "Optimise a policy against a reward model by proximal policy optimisation."
        case .rto: "Optimise a policy against a reward model and the token rewards of a DPO model."
        }
    }

    /// The stage with nothing given.
    public var defaults: TrainConfiguration { TrainConfiguration(stage: stage) }

    /// The settings that apply to the stage.
    public var groups: [SettingGroup<TrainConfiguration>] {
        var groups = [
            SettingGroup("Models and data", Self.models(stage) + Self.data(stage)),
            SettingGroup("Optimization", Self.optimization(stage)),
            SettingGroup("Adapters", Self.lora),
            SettingGroup("Computing", Setting.compute + [Self.gradientCheckpointing]),
            SettingGroup("Run", Self.run(stage)),
        ]
        switch stage {
        case .sft: break
        case .reward: groups.insert(SettingGroup("Reward loss", Self.rewardLoss), at: 1)
        case .dpo: groups.insert(SettingGroup("Preference loss", Self.preference), at: 1)
        case .kto: groups.insert(SettingGroup("Preference loss", Self.unpaired), at: 1)
        case .kd: groups.insert(SettingGroup("Distillation", Self.distillation), at: 1)
        case .ppo: groups.insert(contentsOf: Self.reinforcement, at: 1)
        case .rto: groups.insert(contentsOf: [Self.tokenReward] + Self.reinforcement, at: 1)
        }
        return groups
    }

    /// The other stages that have the setting.
    public func commands(having name: String) -> [String] {
        Stage.allCases.filter { stage in
            stage != self.stage && TrainConfiguration(stage: stage).settings.contains { $0.name == name }
        }.map(\.command)
    }
}
