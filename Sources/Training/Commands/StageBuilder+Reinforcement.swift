import Configuration
import Datasets
import Foundation
import HTTP
import Models
import Objectives
import Tokenizers
import Torch

extension StageBuilder {
    /// PPO or RTO: the same stage, with one more model where there are token rewards.
    func reinforcement() throws -> any Stage {
        let settings = configuration.reinforcement
        let policy = try policy()
        let tokenizer = try tokenizer(policy.configuration)
        let reference = try reference(policy)
        let scorer = RolloutScorer(
            policy: policy,
            reference: reference,
            critic: try settings.advantage.needsCritic ? critic(policy, tokenizer) : nil,
            sources: try settings.rewardModels.map { try judge($0, policy, tokenizer) } + endpoints(tokenizer),
            dpo: try dpo(policy, tokenizer),
            settings: settings,
            tokenReward: configuration.tokenReward,
            sentenceEnds: try sentenceEnds(tokenizer),
            microBatchTokens: configuration.loop.microBatchTokens
        )
        return try ReinforcementStage(
            configuration,
            scorer: scorer,
            source: rollouts(policy, tokenizer),
            pretraining: pretraining(policy, tokenizer),
            endOfSequence: tokenizer?.endOfSequence
                ?? policy.configuration.endOfSequence.first { $0 < policy.configuration.vocabularySize },
            recorder: RolloutRecorder(run: run, tokenizer: tokenizer)
        )
    }

    private func critic(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> CriticModel {
        let model = try scoreModel(
            checkpoint?.appending(path: Checkpoint.criticFolder) ?? URL(filePath: configuration.criticDirectory)
        )
        try check(model.configuration, configuration.criticDirectory, "critic", policy, tokenizer)
        let isNormalized = configuration.reinforcement.normalizeReward
        return CriticModel(model: model, statistics: isNormalized ? model.configuration.statistics : nil)
    }

    private func judge(_ choice: WeightedModel, _ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> RewardJudge
    {
        let directory = choice.path
        let model = try ScoreModel.load(
            URL(filePath: directory),
            .frozen(precision, on: device),
            precision: precision,
            sharing: shared
        )
        try check(model.configuration, directory, "reward model", policy, tokenizer)
        guard configuration.reinforcement.normalizeReward else {
            return RewardJudge(model: model, statistics: nil, weight: choice.weight)
        }
        guard let statistics = model.configuration.statistics else {
            throw TrainingError(
                "\(directory): --normalize-reward needs \"mean\" and \"std\" in the reward model's config.json; "
                    + "`rto train reward --eval-data` or `--eval-share` writes them"
            )
        }
        return RewardJudge(model: model, statistics: statistics, weight: choice.weight)
    }

    private func sentenceEnds(_ tokenizer: Tokenizer?) throws -> SentenceEnds? {
        guard configuration.stage == .rto, configuration.tokenReward.placement == .sentence else { return nil }
        guard let tokenizer else {
            throw TrainingError(
                "--token-reward-placement sentence reads in the tokens' texts where sentences end, and "
                    + "\(configuration.model.tokenizerDirectory) has no tokenizer; name one with --tokenizer"
            )
        }
        return SentenceEnds(tokenizer)
    }

    private func endpoints(_ tokenizer: Tokenizer?) throws -> [any RewardSource] {
        let settings = configuration.reinforcement
        guard !settings.rewardAddresses.isEmpty else { return [] }
        guard let tokenizer else {
            throw TrainingError(
                "--reward-url is sent texts, and \(configuration.model.tokenizerDirectory) has no tokenizer; "
                    + "name one with --tokenizer"
            )
        }
        var patience = HTTPSettings()
        patience.timeOut = settings.rewardTimeout
        patience.attempts = settings.rewardAttempts
        let client = HTTPClient(patience)
        return try settings.rewardAddresses.map { address in
            guard let url = try? HTTPRequest.url(address) else {
                throw TrainingError("--reward-url \(address): this is not the address of a server", .usage)
            }
            return RemoteJudge(
                client: client,
                url: url,
                tokenizer: tokenizer,
                comparesSamples: settings.advantage.comparesSamples,
                token: ProcessInfo.processInfo.environment["RTO_REWARD_TOKEN"]
            )
        }
    }

    private func dpo(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> LanguageModel? {
        guard configuration.stage == .rto, let directory = configuration.tokenReward.dpoModel else { return nil }
        let model = try frozen(directory)
        try check(model.configuration, directory, "DPO model", policy, tokenizer)
        return model
    }

    private func pretraining(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> PretrainingMixture? {
        let sources = configuration.reinforcement.ptxSources
        guard !sources.isEmpty else { return nil }
        let texts = try reader(of: sources, tokenizer, policy.configuration)
            .rows(.examples, maximumLength: configuration.rolloutLength, in: tokenFolder(), named: "texts")
        report(texts, "texts of --ptx-data")
        return try PretrainingMixture(configuration, texts: StageRows(texts, \.ids))
    }

    private func rollouts(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> RolloutSource {
        let settings = configuration.reinforcement
        if let path = settings.rollouts {
            return .recorded(
                try RecordedRollouts.read(path, vocabularySize: policy.configuration.vocabularySize)
            )
        }
        let prompts = try reader(tokenizer, policy.configuration)
            .rows(.prompts, maximumLength: configuration.promptLimit, in: tokenFolder(), named: "prompts")
        report(prompts, "prompts")
        let sampling = settings.sampling
        let stops = try stopTokens(configuration.model.model, policy.configuration, tokenizer)
        return .prompts(
            StageRows(prompts, \.ids),
            SamplingParameters(
                maxNewTokens: sampling.maxNewTokens,
                minNewTokens: sampling.minNewTokens,
                temperature: sampling.temperature,
                topK: sampling.topK,
                topP: sampling.topP,
                stopTokens: stops
            )
        )
    }
}
