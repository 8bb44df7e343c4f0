import Configuration
import PocketWorld

/// The settings of every command that a quickstart runs.
///
/// They were found on this world, by looking at the same task that they are used for. PPO and RTO share all of theirs
/// but the token reward.
struct QuickstartPlan {
    let directory: QuickstartDirectory
    let seed: Int
    let threads: Int

    /// How strongly a difference in gold reward decides which of two responses is preferred.
    static let sharpness = 2.0
    /// Well above the longest sensible response.
    private static let maxNewTokens = 80
    /// Steps between two lines of progress where nobody watches: some ten lines a stage.
    private static let linesPerStage = 10

    init(_ configuration: QuickstartConfiguration) {
        directory = QuickstartDirectory(configuration.output)
        seed = configuration.seed
        threads = configuration.threads
    }

    // Training.

    /// True texts: how to look names and values up in the prompt.
    var pretraining: TrainConfiguration {
        var stage = training(.sft, from: directory.model, on: directory.world(.pretraining), as: "pretrain")
        stage.loop.epochs = 3
        stage.loop.batchSize = 16
        stage.loop.logEvery = 1200 / Self.linesPerStage
        stage.optimizer.learningRate = 3e-3
        return stage
    }

    /// Responses of mixed quality: the policy that everything after starts from.
    var fineTuning: TrainConfiguration {
        var stage = training(
            .sft,
            from: directory.run("pretrain"),
            on: directory.world(.fineTuning),
            as: "sft"
        )
        stage.loop.epochs = 3
        stage.loop.batchSize = 16
        stage.loop.logEvery = 768 / Self.linesPerStage
        stage.optimizer.learningRate = 1.5e-3
        stage.optimizer.schedule = .linear
        return stage
    }

    var reward: TrainConfiguration {
        var stage = training(.reward, from: directory.run("sft"), on: directory.preferences, as: "reward")
        stage.data.evaluation = [directory.heldOutPreferences]
        stage.loop.epochs = 2
        stage.loop.batchSize = 32
        stage.loop.logEvery = 256 / Self.linesPerStage
        stage.optimizer.learningRate = 1e-3
        return stage
    }

    var preference: TrainConfiguration {
        var stage = training(.dpo, from: directory.run("sft"), on: directory.preferences, as: "dpo")
        stage.data.evaluation = [directory.heldOutPreferences]
        stage.loop.batchSize = 32
        stage.loop.logEvery = 128 / Self.linesPerStage
        stage.optimizer.learningRate = 5e-4
        return stage
    }

    var ppo: TrainConfiguration { reinforcement(.ppo) }

    /// PPO with one more reward.
    ///
    /// β₁ is not above β₂: for token rewards alone β₁ = β₂ makes the DPO policy the best one, and more would go beyond what DPO
    /// was trained to be. At twice β₂ this world's RTO learns tokens that DPO likes by accident.
    var rto: TrainConfiguration {
        var stage = reinforcement(.rto)
        stage.tokenReward.dpoModel = directory.run("dpo")
        stage.tokenReward.scale = 0.1
        stage.tokenReward.clip = 0.5
        return stage
    }

    private func reinforcement(_ stage: Stage) -> TrainConfiguration {
        var stage = training(
            stage,
            from: directory.run("sft"),
            on: directory.world(.reinforcementPrompts),
            as: stage.rawValue
        )
        stage.loop.batchSize = 32
        stage.loop.logEvery = 8
        stage.optimizer.learningRate = 5e-4
        stage.optimizer.warmupRatio = 0
        stage.reinforcement.criticLearningRate = 1e-3
        stage.reinforcement.rewardModel = directory.run("reward")
        stage.reinforcement.normalizeReward = true
        stage.reinforcement.rolloutBatchSize = 128
        stage.reinforcement.sampling.maxNewTokens = Self.maxNewTokens
        stage.reinforcement.klCoefficient = 0.1
        return stage
    }

    private func training(_ stage: Stage, from model: String, on data: String, as name: String) -> TrainConfiguration {
        var configuration = TrainConfiguration(stage: stage)
        configuration.model.model = model
        configuration.data.sources = [DataSource(path: data)]
        configuration.loop.output = directory.run(name)
        configuration.loop.seed = seed
        configuration.compute = compute
        return configuration
    }

    // Sampling.

    /// Two responses of the fine-tuned policy to each prompt, to be judged.
    var preferenceSamples: GenerateConfiguration {
        var samples = sampling("sft", on: .preferencePrompts, to: "preferences", seedOffset: 1)
        samples.sampling.samplesPerPrompt = 2
        return samples
    }

    var heldOutPreferenceSamples: GenerateConfiguration {
        var samples = sampling("sft", on: .heldOutPreferencePrompts, to: "preferences-held-out", seedOffset: 2)
        samples.sampling.samplesPerPrompt = 2
        return samples
    }

    /// One response of a policy to each evaluation prompt; all policies draw with the same seed.
    func evaluationSamples(of policy: String) -> GenerateConfiguration {
        sampling(policy, on: .evaluationPrompts, to: "evaluation-" + policy, seedOffset: 3)
    }

    private func sampling(
        _ policy: String,
        on file: WorldCorpus.File,
        to name: String,
        seedOffset: Int
    ) -> GenerateConfiguration {
        var configuration = GenerateConfiguration()
        configuration.model.model = directory.run(policy)
        configuration.data.sources = [DataSource(path: directory.world(file))]
        configuration.sampling.maxNewTokens = Self.maxNewTokens
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
        settings.device = .cpu
        settings.threads = threads
        return settings
    }
}
