extension TrainConfiguration {
    /// Throws where settings of estimator and losses contradict each other.
    func checkAdvantages() throws(ConfigurationError) {
        let (settings, usual) = (reinforcement, defaults.reinforcement)
        let chosen = "--advantage \(settings.advantage.rawValue)"
        if settings.advantage.comparesSamples && settings.sampling.samplesPerPrompt < 2 {
            throw .combination("\(chosen) compares the samples of a prompt: --samples-per-prompt must be at least 2")
        }
        if settings.gamma != 1 && !settings.advantage.discounts {
            throw .combination("\(chosen) does not discount: --gamma other than 1 needs gae or reinforce++")
        }
        let ofCritic: [(flag: String, isGiven: Bool)] = [
            ("--lambda", settings.lambda != usual.lambda), ("--critic-model", settings.criticModel != nil),
            ("--critic-learning-rate", settings.criticLearningRate != usual.criticLearningRate),
            ("--value-clip-range", settings.valueClipRange != usual.valueClipRange),
            ("--freeze-actor-steps", settings.freezeActorSteps != 0),
        ]
        if !settings.advantage.needsCritic, let given = ofCritic.first(where: \.isGiven) {
            throw .combination("\(chosen) has no critic: \(given.flag) has an effect only with --advantage gae")
        }
        if settings.keepsAdvantageDeviation && !settings.advantage.whitens {
            throw .combination("\(chosen) does not whiten advantages: --no-advantage-std-norm has no effect")
        }
        if let high = settings.clipRangeHigh, high < settings.clipRange {
            throw .combination(
                "--clip-range-high \(high.settingText) must be at least --clip-range \(settings.clipRange.settingText)"
            )
        }
    }
}
