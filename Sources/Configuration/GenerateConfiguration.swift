/// Everything that `rto generate` needs to know.
public struct GenerateConfiguration: Sendable, Equatable {
    /// The model, its tokenizer; the reference model is not used.
    public var model = ModelSettings()
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The prompts; evaluation, length and response columns are not used.
    public var data = DataSettings()
    /// The most tokens of a prompt; longer prompts are dropped and counted.
    public var maxPromptLength = 1024
    /// How tokens are drawn, unless ``isGreedy``.
    public var sampling = SamplingSettings()
    /// Take the likeliest token each time.
    public var isGreedy = false
    /// Texts that end a response where they appear.
    public var stop: [String] = []
    /// What stands between prompt and response for a policy that was fine-tuned on responses behind their rewards.
    public var rewardTag: String?
    /// Write the log-probability of each token of the completion.
    public var logProbabilities = false
    /// How many responses are decoded together.
    public var batchSize = 64
    /// The seed of sampling.
    public var seed = 42
    /// The file to write; `nil` is standard output.
    public var output: String?

    /// Creates the defaults.
    public init() {}
}

extension GenerateConfiguration: Configurable, Computing, ReadingRows, Sampling {
    /// "rto generate".
    public var command: String { "rto generate" }
    /// What the command does.
    public var overview: String { "Complete prompts: one JSON object per completion." }
    /// The command with nothing given.
    public var defaults: GenerateConfiguration { GenerateConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<GenerateConfiguration>] {
        [
            SettingGroup("Model and prompts", Self.modelAndPrompts),
            SettingGroup("Completions", Self.completions),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var modelAndPrompts: [Setting<Self>] {
        [
            .value("model", \.model.model, input: .model, "The Hugging Face model to run"),
            .tokenizer,
            .list("data", \.data.sources, input: .data, "The prompts; may be repeated"),
            .optional("output", \.output, "The file to write; none is standard output"),
        ] + Setting.prompts + [
            .inputKey,
            .skipBadRows,
            .value("max-prompt-length", \.maxPromptLength, in: .tokens(), "Longer prompts are dropped and counted"),
        ]
    }

    private static var completions: [Setting<Self>] {
        Setting.sampling + [
            .value("min-new-tokens", \.sampling.minNewTokens, in: .notNegative, "The fewest tokens of a response"),
            .flag("greedy", \.isGreedy, "Take the likeliest token each time"),
            .list("stop", \.stop, "A text that ends a response; may be repeated"),
            .optional(
                "csft-prompt",
                \.rewardTag,
                "What follows each prompt: the reward to ask for, '<rm_score>: 5.00'"
            ),
            .flag("log-probabilities", \.logProbabilities, "Write the log-probability of each token"),
            .value("batch-size", \.batchSize, in: .positive, "Responses decoded together"),
            .value("seed", \.seed, in: .notNegative, "The seed of sampling"),
        ]
    }

    /// Throws where model or prompts are missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !model.model.isEmpty else { throw .combination("rto generate needs a model: --model DIRECTORY") }
        guard !data.sources.isEmpty else { throw .combination("rto generate needs prompts: --data FILE") }
        if sampling.minNewTokens > sampling.maxNewTokens {
            throw .combination(
                "--min-new-tokens \(sampling.minNewTokens) is more than --max-new-tokens \(sampling.maxNewTokens)"
            )
        }
        guard isGreedy else { return }
        if sampling.samplesPerPrompt != 1 {
            throw .combination("--greedy gives the same completion each time, so --samples-per-prompt must be 1")
        }
        if sampling.temperature != 1 || sampling.topP != 1 || sampling.topK != 0 {
            throw .combination("--greedy draws nothing, so --temperature, --top-p and --top-k have no effect with it")
        }
    }
}
