import Configuration
import PocketWorld

/// The settings of every command of one chain: a world's data, a policy fine-tuned on them, preferences between its responses, a
/// reward model, and the methods that are compared.
///
/// Everything but pretraining depends on the chain's seed. What a method is free to choose comes with ``MethodSettings``; all
/// else is the same for all methods.
struct ChainPlan {
    let directory: ChainDirectory
    let seed: Int
    let threads: Int
    let scale: ChainScale

    /// How strongly a difference in gold reward decides which of two responses is preferred.
    static let sharpness = 2.0
    /// Steps between two lines of progress where nobody watches: some ten lines a stage.
    private static let linesPerStage = 10

    // Training.

    /// True texts: how to look names and values up in the prompt.
    var pretraining: TrainConfiguration {
        var stage = training(.sft, from: directory.model, on: directory.world(.pretraining), to: directory.pretrained)
        stage.loop.epochs = scale.pretrainingEpochs
        stage.loop.batchSize = 16
        stage.optimizer.learningRate = 3e-3
        return logged(stage, rows: scale.sizes.pretraining)
    }

    /// Responses of mixed quality: the policy that everything after starts from.
    var fineTuning: TrainConfiguration {
        var stage = training(.sft, from: directory.pretrained, on: directory.world(.fineTuning), to: directory.policy)
        stage.loop.epochs = 3
        stage.loop.batchSize = 16
        stage.optimizer.learningRate = 1.5e-3
        stage.optimizer.schedule = .linear
        return logged(stage, rows: scale.sizes.fineTuning)
    }

    var reward: TrainConfiguration {
        var stage = training(.reward, from: directory.policy, on: directory.preferences, to: directory.run("reward"))
        stage.data.evaluation = [directory.heldOutPreferences]
        stage.loop.epochs = scale.rewardEpochs
        stage.loop.batchSize = 16
        stage.optimizer.learningRate = 1e-3 * scale.learningRateScale
        return logged(stage, rows: scale.sizes.preferences)
    }

    /// A method of the table.
    ///
    /// - Parameter prompts: how many of the prompts reinforcement learning may see; all of them where nothing is said.
    func training(_ method: TableMethod, _ settings: MethodSettings, prompts: Int? = nil, as name: String)
        -> TrainConfiguration
    {
        var stage =
            method.preferenceLoss.map { preference($0, settings, as: name) }
            ?? reinforcement(method, settings, prompts: prompts, as: name)
        stage.optimizer.learningRate = settings.learningRate * scale.learningRateScale
        return stage
    }

    private func preference(_ loss: PreferenceObjective, _ settings: MethodSettings, as name: String)
        -> TrainConfiguration
    {
        var stage = training(.dpo, from: directory.policy, on: directory.preferences, to: directory.run(name))
        stage.data.evaluation = [directory.heldOutPreferences]
        stage.preference.loss = loss
        stage.preference.beta = settings.coefficient
        stage.loop.batchSize = 32
        return logged(stage, rows: scale.sizes.preferences)
    }

    private func reinforcement(_ method: TableMethod, _ settings: MethodSettings, prompts: Int?, as name: String)
        -> TrainConfiguration
    {
        let count = prompts ?? scale.sizes.reinforcement
        var stage = training(
            method.tokenRewardPlacement == nil ? .ppo : .rto,
            from: directory.policy,
            on: prompts.map(directory.prompts) ?? directory.world(.reinforcementPrompts),
            to: directory.run(name)
        )
        stage.loop.batchSize = scale.batchSize
        stage.optimizer.warmupRatio = 0
        stage.reinforcement.rewardModel = directory.run("reward")
        stage.reinforcement.normalizeReward = true
        stage.reinforcement.rolloutBatchSize = 4 * scale.batchSize
        stage.reinforcement.sampling.maxNewTokens = scale.maxNewTokens
        stage.reinforcement.klCoefficient = MethodSettings.klCoefficient
        if method.hasCritic {
            stage.reinforcement.criticLearningRate = 1e-3 * scale.learningRateScale
            stage.reinforcement.lambda = method.lambda
        } else {
            stage.reinforcement.advantage = .reinforce
        }
        if let placement = method.tokenRewardPlacement {
            stage.tokenReward.dpoModel = directory.run(TableMethod.dpo.rawValue)
            stage.tokenReward.placement = placement
            stage.tokenReward.scale = settings.coefficient
            stage.tokenReward.clip = MethodSettings.logRatioClip * settings.coefficient
        } else {
            stage.reinforcement.klCoefficient = settings.coefficient
        }
        return logged(stage, rows: count)
    }

    private func training(_ stage: Stage, from model: String, on data: String, to output: String) -> TrainConfiguration
    {
        var configuration = TrainConfiguration(stage: stage)
        configuration.model.model = model
        configuration.data.sources = [DataSource(path: data)]
        configuration.loop.output = output
        configuration.loop.seed = seed
        configuration.loop.saveEvery = nil
        configuration.compute = compute
        return configuration
    }

    private func logged(_ stage: TrainConfiguration, rows: Int) -> TrainConfiguration {
        var stage = stage
        stage.loop.logEvery = max(1, rows * stage.loop.epochs / stage.loop.batchSize / Self.linesPerStage)
        return stage
    }

    // Sampling.

    /// Two responses of the policy to each prompt, to be judged.
    var preferenceSamples: GenerateConfiguration {
        var samples = sampling(directory.policy, on: .preferencePrompts, to: "preferences", seedOffset: 1)
        samples.sampling.samplesPerPrompt = 2
        return samples
    }

    var heldOutPreferenceSamples: GenerateConfiguration {
        var samples = sampling(
            directory.policy,
            on: .heldOutPreferencePrompts,
            to: "preferences-held-out",
            seedOffset: 2
        )
        samples.sampling.samplesPerPrompt = 2
        return samples
    }

    /// One response of a policy to each evaluation prompt; all policies draw with the same seed.
    func evaluationSamples(of model: String, as name: String) -> GenerateConfiguration {
        sampling(model, on: .evaluationPrompts, to: "evaluation-" + name, seedOffset: 3)
    }

    private func sampling(
        _ model: String,
        on file: WorldCorpus.File,
        to name: String,
        seedOffset: Int
    ) -> GenerateConfiguration {
        var configuration = GenerateConfiguration()
        configuration.model.model = model
        configuration.data.sources = [DataSource(path: directory.world(file))]
        configuration.sampling.maxNewTokens = scale.maxNewTokens
        configuration.batchSize = 256
        // Other numbers than those of training, also after the largest seed, to which none can be added.
        configuration.seed = (seed &+ seedOffset) & Int.max
        configuration.output = directory.samples(name)
        configuration.compute = compute
        return configuration
    }

    /// Models this small gain nothing from another device.
    private var compute: ComputeSettings {
        var settings = ComputeSettings()
        settings.device = scale.device
        settings.threads = threads
        return settings
    }
}
