extension TrainConfiguration {
    /// Throws where something that the stage needs is missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !model.model.isEmpty else {
            throw .combination("\(command) needs a model to start from: --model DIRECTORY")
        }
        guard !loop.output.isEmpty else { throw .combination("\(command) needs a run directory: --output DIRECTORY") }
        if data.sources.isEmpty && (!stage.isReinforcement || reinforcement.rollouts == nil) {
            let alternative = stage.isReinforcement ? " or --rollouts FILE" : ""
            throw .combination("\(command) needs rows to train on: --data FILE\(alternative)")
        }
        if loop.evaluateEvery != nil && data.evaluation.isEmpty && data.evaluationShare == nil {
            throw .combination("--eval-every has nothing to evaluate on; add --eval-data FILE or --eval-share 0.05")
        }
        if !data.evaluation.isEmpty && data.evaluationShare != nil {
            throw .combination("--eval-data and --eval-share say twice what to evaluate on; give one of them")
        }
        if optimizer.minimumRatio != defaults.optimizer.minimumRatio && optimizer.schedule != .cosineWithMinimum {
            throw .combination("--min-lr-ratio has an effect only with --lr-schedule cosine-with-min-lr")
        }
        try checkLoRA()
        try checkObjective()
        if optimizer.lossNormalization == .constant && !stage.isReinforcement {
            throw .combination(
                "--loss-normalization constant divides by --max-new-tokens, which only PPO and RTO have; use token or sequence"
            )
        }
        guard stage.isReinforcement else { return }
        try checkRewards()
        try checkAdvantages()
        if reinforcement.ptxSources.isEmpty && reinforcement.ptxCoefficient != defaults.reinforcement.ptxCoefficient {
            throw .combination("--ptx-coefficient has an effect only with --ptx-data")
        }
        try checkRollouts()
    }

    private func checkRewards() throws(ConfigurationError) {
        let isScored = !reinforcement.rewardModels.isEmpty || !reinforcement.rewardURLs.isEmpty
        if !isScored && reinforcement.rewardCoefficient != 0 {
            throw .combination(
                "\(command) needs something that scores responses: --reward-model DIRECTORY or --reward-url URL"
            )
        }
        let usual = defaults.reinforcement
        let isPatient =
            reinforcement.rewardTimeout != usual.rewardTimeout || reinforcement.rewardAttempts != usual.rewardAttempts
        if reinforcement.rewardURLs.isEmpty && isPatient {
            throw .combination("--reward-timeout and --reward-attempts have an effect only with --reward-url")
        }
        if reinforcement.rewardModel == nil && reinforcement.normalizeReward {
            throw .combination("--normalize-reward needs the mean and deviation of a --reward-model")
        }
        if reinforcement.truncation == .penalize && reinforcement.rewardClip == 0 {
            throw .combination(
                "--truncation penalize pays the lowest clipped score, so --reward-clip must be more than 0"
            )
        }
        if reinforcement.klTarget != nil && reinforcement.klCoefficient == 0 {
            throw .combination("--kl-target multiplies --kl-coefficient, so with 0 it has no effect; begin with 0.01")
        }
        if reinforcement.klTarget == nil && reinforcement.klHorizon != defaults.reinforcement.klHorizon {
            throw .combination("--kl-horizon has an effect only with --kl-target")
        }
        if stage == .rto && tokenReward.dpoModel == nil && tokenReward.scale != 0 {
            throw .combination("\(command) needs the DPO-trained model that rewards tokens: --dpo-model DIRECTORY")
        }
    }

    private func checkRollouts() throws(ConfigurationError) {
        let sampling = reinforcement.sampling
        if promptLimit < 1, let maxLength = data.maxLength {
            throw .combination(
                "--max-length \(maxLength) leaves no room for a prompt beside --max-new-tokens \(sampling.maxNewTokens)"
            )
        }
        let collected = reinforcement.rolloutBatchSize
        if collected % loop.batchSize != 0 {
            throw .combination("--rollout-batch-size \(collected) must be a multiple of --batch-size \(loop.batchSize)")
        }
        let isGrouped = reinforcement.rollouts == nil || reinforcement.advantage.comparesSamples
        if isGrouped, collected % sampling.samplesPerPrompt != 0 {
            throw .combination(
                "--rollout-batch-size \(collected) must be a multiple of --samples-per-prompt \(sampling.samplesPerPrompt)"
            )
        }
    }
}
