/// Everything that `rto score` needs to know.
public struct ScoreConfiguration: Sendable, Equatable {
    /// The model whose log-probabilities are wanted; with a reference model, the DPO model of token rewards.
    public var model = ModelSettings()
    /// The reward model whose scores and values are wanted, instead of a model's log-probabilities.
    public var rewardModel: String?
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The rows, none being standard input, and how those without ids become tokens.
    public var data = DataSettings()
    /// The file to write; `nil` is standard output.
    public var output: String?
    /// Write a reward model's score without its value at every token.
    public var leavesOutValues = false
    /// How many of the largest logits are written at each position; 0 writes none.
    public var topLogits = 0
    /// β₁ of token rewards.
    public var tokenRewardScale = TokenRewardSettings().scale
    /// The bound on the absolute token reward, after scaling; 0 means none.
    public var tokenRewardClip = 0.0
    /// The most tokens in one forward pass; a longer sequence is a pass of its own.
    public var microBatchTokens = 2048

    /// What is computed for each row.
    public enum Quantity: Equatable, Sendable {
        /// The log-probability of each token, and the largest logits where asked for.
        case logProbabilities(model: String)
        /// A reward model's score of the sequence and its value at each token.
        case rewards(rewardModel: String)
        /// The scaled log-ratio of each token.
        case tokenRewards(model: String, reference: String)
    }

    /// Creates the defaults.
    public init() {}

    /// The directory the tokenizer is read from: the one given, else that of the model or reward model.
    public var tokenizerDirectory: String { model.tokenizer ?? rewardModel ?? model.model }

    /// What is computed, as the given models say; ``checkCombinations()`` has ruled out everything else.
    public var quantity: Quantity {
        if let rewardModel { return .rewards(rewardModel: rewardModel) }
        if let reference = model.referenceModel { return .tokenRewards(model: model.model, reference: reference) }
        return .logProbabilities(model: model.model)
    }
}

extension ScoreConfiguration: Configurable, Computing, ReadingRows {
    /// "rto score".
    public var command: String { "rto score" }
    /// What the command does.
    public var overview: String {
        "Score rows: log-probabilities, reward-model scores or DPO token rewards."
    }
    /// The command with nothing given.
    public var defaults: ScoreConfiguration { ScoreConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<ScoreConfiguration>] {
        [
            SettingGroup("Models", Self.models),
            SettingGroup("Rows", Self.rows),
            SettingGroup("Output", Self.output),
            SettingGroup("Computing", Setting.compute + [Self.microBatchTokens]),
        ]
    }

    /// ``model``'s directory, which a reward model can take the place of.
    private var scoredModel: String? {
        get { model.model.isEmpty ? nil : model.model }
        set { model.model = newValue ?? "" }
    }

    private static var models: [Setting<Self>] {
        [
            .optional("model", \.scoredModel, input: .model, "The model whose log-probabilities are wanted"),
            .optional("reward-model", \.rewardModel, input: .model, "The reward model whose scores are wanted"),
            .optional(
                "reference-model",
                \.model.referenceModel,
                input: .model,
                "Token rewards of --model against this"
            ),
            .optional("tokenizer", \.model.tokenizer, input: .tokenizer, "A tokenizer instead of the model's own"),
        ]
    }

    private static var rows: [Setting<Self>] {
        [
            .list("data", \.data.paths, input: .data, "The rows; may be repeated, and none is standard input"),
            .optional("chat-template", \.data.chatTemplate, input: .file, "A chat template instead of the model's own"),
        ]
    }

    private static var output: [Setting<Self>] {
        [
            .optional("output", \.output, "The file to write; none is standard output"),
            .flag("no-values", \.leavesOutValues, "Write a reward model's score without the value at every token"),
            .value("top-logits", \.topLogits, in: .notNegative, "The largest logits at each position, this many"),
            .value("token-reward-scale", \.tokenRewardScale, in: .notNegative, "β₁ of the log-ratios"),
            .value("token-reward-clip", \.tokenRewardClip, in: .notNegative, "The bound after scaling; 0 means none"),
        ]
    }

    private static var microBatchTokens: Setting<Self> {
        .value("micro-batch-tokens", \.microBatchTokens, in: .positive, "The most tokens in one pass")
    }

    /// Throws where no model is given, or the models and the wanted output contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        if model.model.isEmpty == (rewardModel == nil) {
            throw .combination("rto score needs either --model DIRECTORY or --reward-model DIRECTORY")
        }
        if rewardModel != nil && model.referenceModel != nil {
            throw .combination("--reference-model has an effect only with --model")
        }
        if topLogits != 0 && (rewardModel != nil || model.referenceModel != nil) {
            throw .combination("--top-logits has an effect only with --model alone")
        }
        if leavesOutValues && rewardModel == nil {
            throw .combination("--no-values has an effect only with --reward-model")
        }
        let scalesRewards = tokenRewardScale != defaults.tokenRewardScale || tokenRewardClip != 0
        if scalesRewards && model.referenceModel == nil {
            throw .combination(
                "--token-reward-scale and --token-reward-clip have an effect only with --reference-model"
            )
        }
    }
}
