import Configuration
import Datasets
import Foundation
import Models
import Objectives
import Tokenizers
import Torch

/// Makes the stage of a configuration: loads models and data, and checks that they belong together.
struct StageBuilder {
    let configuration: TrainConfiguration
    let run: RunDirectory
    /// The checkpoint whose weights replace those of `--model` and `--critic-model`.
    let checkpoint: URL?
    let device: Device

    private var precision: DType { configuration.compute.precision.dtype }
    private var seed: UInt64 { UInt64(bitPattern: Int64(configuration.loop.seed)) }

    func build() throws -> any Stage {
        switch configuration.stage {
        case .sft: try supervised()
        case .reward: try reward()
        case .dpo: try preference()
        case .kto: try unpaired()
        case .kd: try supervised(teacher: configuration.distillation.teacherModel)
        case .ppo, .rto: try reinforcement()
        }
    }

    // Models.

    private func policy() throws -> LanguageModel {
        var model = try LanguageModel.load(
            checkpoint ?? URL(filePath: configuration.model.model),
            .trainable(on: device),
            precision: precision
        )
        model.checkpointsGradients = configuration.compute.gradientCheckpointing
        return model
    }

    private func frozen(_ directory: String) throws -> LanguageModel {
        try LanguageModel.load(URL(filePath: directory), .frozen(precision, on: device), precision: precision)
    }

    private func scoreModel(_ directory: URL) throws -> ScoreModel {
        var model = try ScoreModel.load(directory, .trainable(on: device), precision: precision, freshHead: seed)
        model.checkpointsGradients = configuration.compute.gradientCheckpointing
        return model
    }

    private func tokenizer(_ model: ModelConfiguration) throws -> Tokenizer? {
        try loadTokenizer(configuration.model.tokenizerDirectory, vocabularySize: model.vocabularySize)
    }

    // Data.

    private func reader(_ tokenizer: Tokenizer?, _ model: ModelConfiguration) throws -> DatasetReader {
        try configuration.data.reader(
            configuration.data.sources,
            tokenizer: tokenizer,
            vocabularySize: model.vocabularySize,
            seed: configuration.loop.seed,
            readsMargins: configuration.rewardLoss.usesMargin
        )
    }

    private func evaluationReader(_ tokenizer: Tokenizer?, _ model: ModelConfiguration) throws -> DatasetReader? {
        try configuration.data.evaluationReader(
            tokenizer: tokenizer,
            vocabularySize: model.vocabularySize,
            readsMargins: configuration.rewardLoss.usesMargin
        )
    }

    private func pairs(_ model: ModelConfiguration) throws -> (training: [TokenizedPair], evaluation: [TokenizedPair]) {
        let tokenizer = try tokenizer(model)
        let limit = configuration.data.maxLength
        let training = try reader(tokenizer, model).pairs(maximumLength: limit)
        report(training.report, "data")
        let evaluation = try evaluationReader(tokenizer, model)?.pairs(maximumLength: limit)
        if let evaluation { report(evaluation.report, "evaluation data") }
        return (training.rows, evaluation?.rows ?? [])
    }

    // Stages.

    /// - Parameter directory: the teacher's, where there is one
    private func supervised(teacher directory: String? = nil) throws -> any Stage {
        let policy = try policy()
        let tokenizer = try tokenizer(policy.configuration)
        let limit = configuration.data.maxLength
        let training = try reader(tokenizer, policy.configuration).examples(maximumLength: limit)
        report(training.report, "data")
        let evaluation = try evaluationReader(tokenizer, policy.configuration)?.examples(maximumLength: limit)
        if let evaluation { report(evaluation.report, "evaluation data") }
        return try SupervisedStage(
            configuration,
            policy: policy,
            teacher: try directory.map { try comparable($0, "teacher", policy) },
            rows: training.rows.map(\.row),
            evaluation: evaluation?.rows.map(\.row) ?? []
        )
    }

    private func reward() throws -> any Stage {
        let model = try scoreModel(checkpoint ?? URL(filePath: configuration.model.model))
        let (training, evaluation) = try pairs(model.configuration)
        if configuration.rewardLoss.usesMargin && training.allSatisfy({ $0.margin == nil }) {
            throw TrainingError("--margin-loss finds no margin: no row of --data has a number in its column \"margin\"")
        }
        return try RewardStage(
            configuration,
            model: model,
            pairs: PairRows(training),
            evaluation: PairRows(evaluation)
        )
    }

    private func preference() throws -> any Stage {
        let policy = try policy()
        let (training, evaluation) = try pairs(policy.configuration)
        let need = configuration.preference.objective.referenceNeed
        return try PreferenceStage(
            configuration,
            policy: policy,
            reference: need == .none ? nil : try reference(policy, comparesDistributions: need == .distributions),
            pairs: PairRows(training),
            evaluation: PairRows(evaluation)
        )
    }

    private func unpaired() throws -> any Stage {
        let policy = try policy()
        let tokenizer = try tokenizer(policy.configuration)
        let limit = configuration.data.maxLength
        let training = try reader(tokenizer, policy.configuration).unpairedExamples(maximumLength: limit)
        report(training.report, "data")
        let evaluation = try evaluationReader(tokenizer, policy.configuration)?.unpairedExamples(maximumLength: limit)
        if let evaluation { report(evaluation.report, "evaluation data") }
        return try UnpairedStage(
            configuration,
            policy: policy,
            reference: try reference(policy, comparesDistributions: false),
            rows: training.rows.map(LabelledRow.init),
            evaluation: evaluation?.rows.map(LabelledRow.init) ?? []
        )
    }

    private func reference(_ policy: LanguageModel, comparesDistributions: Bool) throws -> LanguageModel {
        let directory = configuration.model.referenceDirectory
        if comparesDistributions { return try comparable(directory, "reference model", policy) }
        let model = try frozen(directory)
        try check(model.configuration, directory, "reference model", policy, try tokenizer(policy.configuration))
        return model
    }

    /// A frozen model whose distributions are compared with the policy's.
    private func comparable(_ directory: String, _ role: String, _ policy: LanguageModel) throws -> LanguageModel {
        let model = try frozen(directory)
        try check(model.configuration, directory, role, policy, try tokenizer(policy.configuration))
        let (size, own) = (model.configuration.vocabularySize, policy.configuration.vocabularySize)
        guard size == own else {
            throw TrainingError(
                "\(directory): the \(role) has logits for \(size) ids, the policy for \(own); their distributions can be "
                    + "compared only where the numbers are equal"
            )
        }
        return model
    }

    private func reinforcement() throws -> any Stage {
        let settings = configuration.reinforcement
        let policy = try policy()
        let tokenizer = try tokenizer(policy.configuration)
        let reference = try frozen(configuration.model.referenceDirectory)
        try check(
            reference.configuration,
            configuration.model.referenceDirectory,
            "reference model",
            policy,
            tokenizer
        )
        let critic = try scoreModel(
            checkpoint?.appending(path: Checkpoint.criticFolder) ?? URL(filePath: configuration.criticDirectory)
        )
        try check(critic.configuration, configuration.criticDirectory, "critic", policy, tokenizer)
        let scorer = RolloutScorer(
            policy: policy,
            reference: reference,
            critic: CriticModel(
                model: critic,
                statistics: settings.normalizeReward ? critic.configuration.statistics : nil
            ),
            reward: try settings.rewardModel.map { try judge($0, policy, tokenizer) },
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
            endOfSequence: tokenizer?.endOfSequence
                ?? policy.configuration.endOfSequence.first { $0 < policy.configuration.vocabularySize },
            recorder: RolloutRecorder(run: run, tokenizer: tokenizer)
        )
    }

    private func judge(_ directory: String, _ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> RewardJudge {
        let model = try ScoreModel.load(
            URL(filePath: directory),
            .frozen(precision, on: device),
            precision: precision
        )
        try check(model.configuration, directory, "reward model", policy, tokenizer)
        guard configuration.reinforcement.normalizeReward else { return RewardJudge(model: model, statistics: nil) }
        guard let statistics = model.configuration.statistics else {
            throw TrainingError(
                "\(directory): --normalize-reward needs \"mean\" and \"std\" in the reward model's config.json; "
                    + "`rto train reward --eval-data` writes them"
            )
        }
        return RewardJudge(model: model, statistics: statistics)
    }

    private func sentenceEnds(_ tokenizer: Tokenizer?) throws -> SentenceEnds? {
        guard configuration.stage == .rto, configuration.tokenReward.placement == .sentence else { return nil }
        guard let tokenizer else {
            throw TrainingError(
                "--token-reward-placement sentence reads in the tokens' texts where sentences end, and "
                    + "\(configuration.model.tokenizerDirectory) has no tokenizer.json; name one with --tokenizer"
            )
        }
        return SentenceEnds(tokenizer)
    }

    private func dpo(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> LanguageModel? {
        guard configuration.stage == .rto, let directory = configuration.tokenReward.dpoModel else { return nil }
        let model = try frozen(directory)
        try check(model.configuration, directory, "DPO model", policy, tokenizer)
        return model
    }

    private func rollouts(_ policy: LanguageModel, _ tokenizer: Tokenizer?) throws -> RolloutSource {
        let settings = configuration.reinforcement
        if let path = settings.rollouts {
            return .recorded(
                try RecordedRollouts.read(path, vocabularySize: policy.configuration.vocabularySize)
            )
        }
        let prompts = try reader(tokenizer, policy.configuration).prompts(maximumLength: configuration.promptLimit)
        report(prompts.report, "prompts")
        let sampling = settings.sampling
        let stops = try stopTokens(configuration.model.model, policy.configuration, tokenizer)
        return .prompts(
            prompts.rows,
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

    private func check(
        _ model: ModelConfiguration,
        _ directory: String,
        _ role: String,
        _ policy: LanguageModel,
        _ tokenizer: Tokenizer?
    ) throws {
        // The policy's own directory: --tokenizer may have replaced the tokenizer that lies there.
        if directory == configuration.model.model { return }
        try checkVocabulary(of: directory, model, role: role, matches: policy.configuration, tokenizer)
    }
}

extension ModelConfiguration {
    /// The recorded mean and deviation of rewards.
    var statistics: RewardStatistics? {
        rewardStatistics.map { RewardStatistics(mean: $0.mean, deviation: $0.deviation) }
    }
}
