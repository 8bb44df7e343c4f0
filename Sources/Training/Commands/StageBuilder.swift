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

    /// Weights that several models are made of.
    let shared = SharedWeights()

    var precision: DType { configuration.compute.precision.dtype }
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

    func policy() throws -> LanguageModel {
        var model = try LanguageModel.load(
            checkpoint ?? URL(filePath: configuration.model.model),
            base: base(of: configuration.model.model),
            .trainable(on: device),
            precision: precision,
            adapter: adapterStart(seed: seed),
            sharing: shared
        )
        model.checkpointsGradients = configuration.compute.gradientCheckpointing
        return model
    }

    func frozen(_ directory: String) throws -> LanguageModel {
        try LanguageModel.load(
            URL(filePath: directory),
            .frozen(precision, on: device),
            precision: precision,
            sharing: shared
        )
    }

    func scoreModel(_ directory: URL) throws -> ScoreModel {
        let isCritic = configuration.stage.isReinforcement
        var model = try ScoreModel.load(
            directory,
            base: base(of: isCritic ? configuration.criticDirectory : configuration.model.model),
            .trainable(on: device),
            precision: precision,
            freshHead: seed,
            // Not what the policy's adapter is drawn from.
            adapter: adapterStart(seed: ~seed),
            sharing: shared
        )
        model.checkpointsGradients = configuration.compute.gradientCheckpointing
        return model
    }

    func tokenizer(_ model: ModelConfiguration) throws -> Tokenizer? {
        try loadTokenizer(configuration.model.tokenizerDirectory, vocabularySize: model.vocabularySize)
    }

    // Data.

    func reader(
        of sources: [DataSource]? = nil,
        _ tokenizer: Tokenizer?,
        _ model: ModelConfiguration
    ) throws -> DatasetReader {
        try configuration.data.reader(
            sources ?? configuration.data.sources,
            tokenizer: tokenizer,
            vocabularySize: model.vocabularySize,
            seed: configuration.loop.seed,
            part: .training,
            readsMargins: configuration.rewardLoss.usesMargin
        )
    }

    private func evaluationReader(_ tokenizer: Tokenizer?, _ model: ModelConfiguration) throws -> DatasetReader? {
        try configuration.data.evaluationReader(
            tokenizer: tokenizer,
            vocabularySize: model.vocabularySize,
            seed: configuration.loop.seed,
            readsMargins: configuration.rewardLoss.usesMargin
        )
    }

    /// Where the run keeps the tokens of its data.
    func tokenFolder() throws -> TokenFolder {
        TokenFolder(
            try run.tokensFolder(),
            tokenizer: try .tokenizer(configuration.model.tokenizerDirectory),
            expecting: try checkpoint.map(TrainingLoop.tokenDigests) ?? [:]
        )
    }

    /// The rows to train and to evaluate on, made into tokens by the tokenizer or kept from when that was done.
    private func rows<Stored, Row>(
        _ model: ModelConfiguration,
        _ kind: RowKind<Stored>,
        _ transform: @escaping (Stored) -> Row
    ) throws -> (training: StageRows<Row>, evaluation: StageRows<Row>) {
        let (tokenizer, folder, limit) = (try tokenizer(model), try tokenFolder(), configuration.data.maxLength)
        func read(_ reader: DatasetReader, _ name: String) throws -> TokenRows<Stored> {
            try reader.rows(kind, maximumLength: limit, in: folder, named: name)
        }
        let training = try read(try reader(tokenizer, model), "training")
        report(training, "data")
        let evaluation = try evaluationReader(tokenizer, model).map { try read($0, "evaluation") }
        if let evaluation { report(evaluation, "evaluation data") }
        return (StageRows(training, transform), evaluation.map { StageRows($0, transform) } ?? .none)
    }

    private func pairs(
        _ model: ModelConfiguration
    ) throws -> (training: StageRows<PairRow>, evaluation: StageRows<PairRow>) {
        try rows(model, .pairs, PairRow.init)
    }

    // Stages.

    /// - Parameter directory: the teacher's, where there is one
    private func supervised(teacher directory: String? = nil) throws -> any Stage {
        let policy = try policy()
        let (training, evaluation) = try rows(policy.configuration, .examples, \.row)
        return try SupervisedStage(
            configuration,
            policy: policy,
            teacher: try directory.map { try comparable($0, "teacher", policy) },
            rows: training,
            evaluation: evaluation
        )
    }

    private func reward() throws -> any Stage {
        let model = try scoreModel(checkpoint ?? URL(filePath: configuration.model.model))
        let (training, evaluation) = try pairs(model.configuration)
        if configuration.rewardLoss.usesMargin, try !training.contains(where: { $0.margin != nil }) {
            throw TrainingError("--margin-loss finds no margin: no row of --data has a number in its column \"margin\"")
        }
        return try RewardStage(
            configuration,
            model: model,
            pairs: training,
            evaluation: evaluation
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
            pairs: training,
            evaluation: evaluation
        )
    }

    private func unpaired() throws -> any Stage {
        let policy = try policy()
        let (training, evaluation) = try rows(policy.configuration, .unpairedExamples, LabelledRow.init)
        return try UnpairedStage(
            configuration,
            policy: policy,
            reference: try reference(policy),
            rows: training,
            evaluation: evaluation
        )
    }

    func reference(_ policy: LanguageModel, comparesDistributions: Bool = false) throws -> LanguageModel {
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

    func check(
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
