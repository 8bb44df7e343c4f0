/// Everything that `rto evaluate preference` needs to know.
public struct HeldOutConfiguration: Sendable, Equatable {
    /// The policy whose implicit reward is measured, its reference model and its tokenizer.
    public var model = ModelSettings()
    /// The reward model that is measured instead.
    public var rewardModel: String?
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The pairs.
    public var data = DataSettings()
    /// β of the implicit reward.
    public var beta = 0.1
    /// The most tokens in one forward pass.
    public var microBatchTokens = 2048
    /// Print one JSON object instead of a table.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {}

    /// The directory the tokenizer is read from.
    public var tokenizerDirectory: String { model.tokenizer ?? rewardModel ?? model.model }
}

extension HeldOutConfiguration: Configurable, Computing, ReadingRows {
    /// "rto evaluate preference".
    public var command: String { "rto evaluate preference" }
    /// What the command does.
    public var overview: String {
        "Accuracy, margin and calibration of a reward model or a DPO policy on held-out pairs."
    }
    /// The command with nothing given.
    public var defaults: HeldOutConfiguration { HeldOutConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<HeldOutConfiguration>] {
        [
            SettingGroup("Models", Self.models),
            SettingGroup("Pairs", Self.pairs),
            SettingGroup("Computing", Setting.compute + [Self.microBatchTokens]),
        ]
    }

    private var policy: String? {
        get { model.model.isEmpty ? nil : model.model }
        set { model.model = newValue ?? "" }
    }

    private static var models: [Setting<Self>] {
        [
            .optional("reward-model", \.rewardModel, input: .model, "The reward model to measure"),
            .optional("model", \.policy, input: .model, "The DPO policy to measure instead"),
            .optional("reference-model", \.model.referenceModel, input: .model, "What the policy started from"),
            .value("beta", \.beta, in: .positive, "β of the implicit reward β·log(π/π_ref)"),
            .tokenizer,
        ]
    }

    private static var pairs: [Setting<Self>] {
        [.list("data", \.data.sources, input: .data, "The pairs; may be repeated")] + Setting.prompts + [
            .optional("chosen-key", \.data.chosenKey, "The column of the preferred response"),
            .optional("rejected-key", \.data.rejectedKey, "The column of the other response"),
            .optional("max-length", \.data.maxLength, in: .positive, "The most tokens of a sequence"),
            .skipBadRows,
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    private static var microBatchTokens: Setting<Self> {
        .value("micro-batch-tokens", \.microBatchTokens, in: .positive, "The most tokens in one pass")
    }

    /// Throws where models or pairs are missing, or contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard (rewardModel != nil) != (policy != nil) else {
            throw .combination(
                "rto evaluate preference needs either --reward-model DIRECTORY or --model with --reference-model"
            )
        }
        guard (policy != nil) == (model.referenceModel != nil) else {
            throw .combination("an implicit reward needs both --model and --reference-model")
        }
        guard !data.sources.isEmpty else { throw .combination("rto evaluate preference needs pairs: --data FILE") }
    }
}
