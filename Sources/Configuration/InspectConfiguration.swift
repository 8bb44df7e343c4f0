/// Everything that `rto inspect` needs to know.
public struct InspectConfiguration: Sendable, Equatable {
    /// The model whose tokenizer and vocabulary are used, and the reference of token rewards; its weights are read only as such.
    public var model = ModelSettings()
    /// The DPO model that rewards tokens, β₁ and the bound; the placement is not used.
    public var tokenReward = TokenRewardSettings()
    /// The reward model that scores the sequences.
    public var rewardModel: String?
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The rows, none being standard input, and how they become tokens; weights and evaluation are not used.
    public var data = DataSettings()
    /// The stage by whose eyes rows are seen; nil goes by their shape.
    public var stage: Stage?
    /// The most tokens of a prompt that is to be answered.
    public var maxPromptLength = GenerateConfiguration().maxPromptLength
    /// The first row that is shown, counted from 1 over all files.
    public var firstRow = 1
    /// How many rows are shown.
    public var rowCount = 3
    /// Show one token a line.
    public var listsTokens = false
    /// Show the tokens' ids.
    public var showsIDs = false
    /// Whether colours are used.
    public var colour = ColourChoice.auto
    /// Print one JSON object instead of text.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {}

    /// The directory the tokenizer is read from: the one given, else that of the first model.
    public var tokenizerDirectory: String? {
        let own = model.model.isEmpty ? nil : model.model
        return model.tokenizer ?? own ?? tokenReward.dpoModel ?? rewardModel
    }

    /// The model that token rewards are measured against: the one given, else the model itself, as in `rto train rto`.
    public var referenceDirectory: String { model.referenceDirectory }
}

/// When a command uses colours.
public enum ColourChoice: String, SettingChoice {
    /// Never.
    case never
    /// On a terminal, unless `NO_COLOR` is set.
    case auto
    /// Wherever the output goes.
    case always
}

extension Stage: SettingChoice {}

extension InspectConfiguration: Configurable, Computing, ReadingRows {
    /// "rto inspect".
    public var command: String { "rto inspect" }
    /// What the command does.
    public var overview: String {
        "Show rows as the tokens that training sees: template, what is learned and, given models, token rewards and scores."
    }
    /// The command with nothing given.
    public var defaults: InspectConfiguration { InspectConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<InspectConfiguration>] {
        [
            SettingGroup("Rows", Self.rows),
            SettingGroup("Columns", Self.columns),
            SettingGroup("Rewards", Self.rewards),
            SettingGroup("Output", Self.output),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private var givenModel: String? {
        get { model.model.isEmpty ? nil : model.model }
        set { model.model = newValue ?? "" }
    }

    private static var rows: [Setting<Self>] {
        [
            .optional("model", \.givenModel, input: .model, "The model whose tokenizer and template are used"),
            .tokenizer,
            .list("data", \.data.paths, input: .data, "The rows; may be repeated, and none is standard input"),
            .optional("stage", \.stage, "The stage by whose eyes rows are seen; none goes by their shape"),
            .value("row", \.firstRow, in: .positive, "The first row to show, counted from 1"),
            .value("rows", \.rowCount, in: .positive, "How many rows to show"),
            .optional("max-length", \.data.maxLength, in: .tokens(atLeast: 2), "The most tokens of a sequence"),
            .value("max-prompt-length", \.maxPromptLength, in: .tokens(), "The most tokens of a prompt to be answered"),
            .skipBadRows,
        ]
    }

    private static var columns: [Setting<Self>] {
        Setting.prompts + [
            .inputKey,
            .optional("output-key", \.data.outputKey, "The column of the answer"),
            .optional("chosen-key", \.data.chosenKey, "The column of the preferred response"),
            .optional("rejected-key", \.data.rejectedKey, "The column of the other response"),
            .optional("label-key", \.data.labelKey, "The column of the label"),
        ]
    }

    private static var rewards: [Setting<Self>] {
        [
            .optional("dpo-model", \.tokenReward.dpoModel, input: .model, "The DPO-trained model that rewards tokens"),
            .optional(
                "reference-model",
                \.model.referenceModel,
                input: .model,
                "What it is measured against; none is --model"
            ),
            .value("token-reward-scale", \.tokenReward.scale, in: .notNegative, "β₁ of the log-ratios"),
            .value(
                "token-reward-clip",
                \.tokenReward.clip,
                in: .notNegative,
                "The bound after scaling; 0 means none"
            ),
            .optional("reward-model", \.rewardModel, input: .model, "The reward model that scores the sequences"),
        ]
    }

    private static var output: [Setting<Self>] {
        [
            .flag("tokens", \.listsTokens, "Show one token a line"),
            .flag("ids", \.showsIDs, "Show the tokens' ids"),
            .value("color", \.colour, "When to use colours; auto is on a terminal, unless NO_COLOR is set"),
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    /// Throws where there is nothing to make tokens with, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard tokenizerDirectory != nil else {
            throw .combination("rto inspect needs a tokenizer: --model DIRECTORY or --tokenizer DIRECTORY")
        }
        if tokenReward.dpoModel != nil {
            guard !referenceDirectory.isEmpty else {
                throw .combination("--dpo-model needs what it is measured against: --reference-model or --model")
            }
        } else {
            if model.referenceModel != nil {
                throw .combination("--reference-model has an effect only with --dpo-model")
            }
            let unused = TokenRewardSettings()
            if tokenReward.scale != unused.scale || tokenReward.clip != unused.clip {
                throw .combination(
                    "--token-reward-scale and --token-reward-clip have an effect only with --dpo-model"
                )
            }
        }
        if printsJSON && (listsTokens || showsIDs || colour == .always) {
            throw .combination("--tokens, --ids and --color always have no effect with --json, which says everything")
        }
    }
}
