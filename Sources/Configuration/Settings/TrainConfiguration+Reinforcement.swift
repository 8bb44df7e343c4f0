// Every flag of PPO and RTO, declared once.
extension TrainConfiguration {
    static var reinforcement: [SettingGroup<Self>] {
        [
            SettingGroup("Rollouts", rollouts + Setting.sampling),
            SettingGroup("Reward", reward),
            SettingGroup("Policy and critic", policyAndCritic),
            SettingGroup("Beside the rollouts", besideRollouts),
        ]
    }

    static var tokenReward: SettingGroup<Self> {
        SettingGroup(
            "Token reward",
            [
                .optional(
                    "dpo-model",
                    \.tokenReward.dpoModel,
                    input: .model,
                    "The DPO-trained model that rewards tokens"
                ),
                .value(
                    "token-reward-scale",
                    \.tokenReward.scale,
                    in: .notNegative,
                    "β₁ of its log-ratios; 0 means none"
                ),
                .value(
                    "token-reward-clip",
                    \.tokenReward.clip,
                    in: .notNegative,
                    "The bound after scaling; 0 means none"
                ),
                .value("token-reward-placement", \.tokenReward.placement, "Where the token rewards are paid"),
            ]
        )
    }

    private static var rollouts: [Setting<Self>] {
        [
            .value(
                "rollout-batch-size",
                \.reinforcement.rolloutBatchSize,
                in: .positive,
                "Rollouts before each round of updates"
            ),
            .value("ppo-epochs", \.reinforcement.epochs, in: .positive, "Passes over each collection of rollouts"),
            .value(
                "max-prompt-length",
                \.reinforcement.maxPromptLength,
                in: .tokens(),
                "Longer prompts are dropped and counted"
            ),
            .value("truncation", \.reinforcement.truncation, "What becomes of responses cut by the length limit"),
            .optional("rollouts", \.reinforcement.rollouts, input: .file, "Recorded rollouts instead of sampling"),
            .flag(
                "save-rollouts",
                \.reinforcement.savesRollouts,
                "Write every rollout with its rewards and advantages"
            ),
        ]
    }

    private static var reward: [Setting<Self>] {
        [
            .list(
                "reward-model",
                \.reinforcement.rewardModels,
                input: .model,
                "A model that scores responses, with its weight; may be repeated"
            ),
            .list(
                "reward-url",
                \.reinforcement.rewardURLs,
                "OpenRLHF's /get_reward somewhere; RTO_REWARD_TOKEN holds its token; may be repeated"
            ),
            .value("reward-timeout", \.reinforcement.rewardTimeout, in: .positive, "Seconds for one of its answers"),
            .value("reward-attempts", \.reinforcement.rewardAttempts, in: .positive, "How often it is asked at most"),
            .value("reward-coefficient", \.reinforcement.rewardCoefficient, in: .notNegative, "β₃ of the score"),
            .flag("normalize-reward", \.reinforcement.normalizeReward, "Use the reward model's own mean and deviation"),
            .value("reward-clip", \.reinforcement.rewardClip, in: .notNegative, "The bound on the score; 0 means none"),
            .value("kl-coefficient", \.reinforcement.klCoefficient, in: .notNegative, "β₂ of the KL penalty per token"),
            .value("kl-estimator", \.reinforcement.klEstimator, "How the KL divergence of a token is estimated"),
            .flag("kl-in-loss", \.reinforcement.klInLoss, "Put the KL penalty into the loss, not into the reward"),
            .optional("kl-target", \.reinforcement.klTarget, in: .positive, "Steer β₂ to this KL; none keeps it fixed"),
            .value("kl-horizon", \.reinforcement.klHorizon, in: .positive, "Over how many rollouts β₂ moves"),
        ]
    }

    private static var besideRollouts: [Setting<Self>] {
        [
            .value(
                "freeze-actor-steps",
                \.reinforcement.freezeActorSteps,
                in: .notNegative,
                "Optimizer steps in which only the critic learns"
            ),
            .optional(
                "ema-decay",
                \.reinforcement.emaDecay,
                in: .from(0, below: 1),
                "Keep a moving average of the policy, in OUTPUT/ema"
            ),
            .list(
                "ptx-data",
                \.reinforcement.ptxSources,
                input: .data,
                "Texts that the policy goes on learning; may be repeated"
            ),
            .value("ptx-coefficient", \.reinforcement.ptxCoefficient, in: .positive, "The weight of their loss"),
        ]
    }

    private static var policyAndCritic: [Setting<Self>] {
        [
            .optional(
                "critic-model",
                \.reinforcement.criticModel,
                input: .model,
                "The critic's start; none is the reward model"
            ),
            .value("advantage", \.reinforcement.advantage, "How advantages are estimated"),
            .value("gamma", \.reinforcement.gamma, in: .from(0, through: 1), "The discount"),
            .value("lambda", \.reinforcement.lambda, in: .from(0, through: 1), "λ of advantage estimation"),
            .flag(
                "no-advantage-std-norm",
                \.reinforcement.keepsAdvantageDeviation,
                "Do not divide advantages by their deviation"
            ),
            .value("clip-range", \.reinforcement.clipRange, in: .positive, "ε of the clipped policy objective"),
            .optional(
                "clip-range-high",
                \.reinforcement.clipRangeHigh,
                in: .positive,
                "ε above the ratio 1; none is clip-range"
            ),
            .optional(
                "dual-clip",
                \.reinforcement.dualClip,
                in: .moreThan(1),
                "The most that a bad token costs, in advantages"
            ),
            .optional(
                "log-ratio-clip",
                \.reinforcement.logRatioClip,
                in: .positive,
                "The bound on the log of the ratio; none is overflow"
            ),
            .optional(
                "value-clip-range",
                \.reinforcement.valueClipRange,
                in: .positive,
                "ε of the clipped value loss; none never clips"
            ),
        ]
    }
}
