/// Everything that `rto pairs` needs to know.
public struct PairsConfiguration: Sendable, Equatable {
    /// What is made of the scored completions; must be given.
    public var selection: CompletionChoice?
    /// The scored completions; none is standard input.
    public var data: [String] = []
    /// The file to write; `nil` is standard output.
    public var output: String?
    /// The column of the reward.
    public var rewardKey = "score"
    /// Conditional SFT only: write rewards as multiples of their deviation from their mean.
    public var normalizesReward = false
    /// Conditional SFT only: the model whose tokenizer makes ids of the reward; `nil` makes rows of text.
    public var model: String?

    /// Creates the defaults.
    public init() {}
}

/// What `rto pairs` makes of scored completions.
public enum CompletionChoice: String, SettingChoice {
    /// The best completion of each prompt, for supervised fine-tuning (rejection sampling).
    case best
    /// The best and the worst completion of each prompt, for preference optimisation.
    case iterativeDPO = "iterative-dpo"
    /// Every completion behind its prompt and its reward, for supervised fine-tuning.
    case conditional = "csft"

    /// The reference implementation's names.
    public static var synonyms: [String: CompletionChoice] { ["rs": .best, "iter-dpo": .iterativeDPO] }
}

extension PairsConfiguration: Configurable {
    /// "rto pairs".
    public var command: String { "rto pairs" }
    /// What the command does.
    public var overview: String {
        "Make rows to train on of scored completions: the best, best against worst, or all behind their rewards."
    }
    /// The command with nothing given.
    public var defaults: PairsConfiguration { PairsConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<PairsConfiguration>] {
        [
            SettingGroup(
                "Completions",
                [
                    .optional("select", \.selection, "What to make of them; must be given"),
                    .list("data", \.data, input: .file, "What rto score wrote; none is standard input"),
                    .value("reward-key", \.rewardKey, "The column of the reward"),
                ]
            ),
            SettingGroup(
                "Rows",
                [
                    .optional("output", \.output, "The file to write; none is standard output"),
                    .optional(
                        "model",
                        \.model,
                        input: .tokenizer,
                        "The model whose tokenizer makes ids of rewards (csft)"
                    ),
                    .flag("normalize-reward", \.normalizesReward, "Write rewards in deviations from their mean (csft)"),
                ]
            ),
        ]
    }

    /// Throws where nothing is selected, or settings have no effect on what is.
    public func checkCombinations() throws(ConfigurationError) {
        guard let selection else {
            throw .combination("rto pairs needs to know what to make: --select \(CompletionChoice.noun)")
        }
        guard selection != .conditional else { return }
        if normalizesReward { throw .combination("--normalize-reward has an effect only with --select csft") }
        if model != nil { throw .combination("--model has an effect only with --select csft") }
    }
}
