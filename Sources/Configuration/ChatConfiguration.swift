/// Everything that `rto chat` needs to know.
public struct ChatConfiguration: Sendable, Equatable {
    /// The model and its tokenizer; the reference model is not used.
    public var model = ModelSettings()
    /// The templates; what concerns rows of files is not used.
    public var data = DataSettings()
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// What the model is told before the first turn.
    public var system: String?
    /// How tokens are drawn, unless ``isGreedy``.
    public var sampling = SamplingSettings()
    /// Take the likeliest token each time.
    public var isGreedy = false
    /// Texts that end an answer where they appear.
    public var stop: [String] = []
    /// The most tokens of the conversation; `nil` is the model's own limit, or ``ServeConfiguration/longestDefault`` where that is less.
    public var maxLength: Int?
    /// The seed of sampling.
    public var seed = 42

    /// Creates the defaults; a conversation is drawn a little cooler than data to train on.
    public init() {
        sampling.temperature = 0.7
        sampling.maxNewTokens = 512
    }
}

extension ChatConfiguration: Configurable, Computing, ReadingRows, Sampling {
    /// "rto chat".
    public var command: String { "rto chat" }
    /// What the command does.
    public var overview: String {
        "Talk to a model: a line is a turn, 'clear' begins anew, 'exit' leaves, ^C stops an answer."
    }
    /// The command with nothing given.
    public var defaults: ChatConfiguration { ChatConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<ChatConfiguration>] {
        [
            SettingGroup("Model", Self.model),
            SettingGroup("Answers", Self.answers),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var model: [Setting<Self>] {
        [
            .value("model", \.model.model, input: .model, "The Hugging Face model, or adapter, to talk to"),
            .tokenizer,
            .optional("system", \.system, "What the model is told before the first turn"),
            .optional("chat-template", \.data.chatTemplate, input: .file, "A chat template instead of the model's own"),
            .optional(
                "input-template",
                \.data.inputTemplate,
                in: .template,
                "What each turn is put into, at {}, instead of a chat template"
            ),
        ]
    }

    private static var answers: [Setting<Self>] {
        // A turn has one answer.
        Setting.sampling.filter { $0.name != "samples-per-prompt" } + [
            .flag("greedy", \.isGreedy, "Take the likeliest token each time"),
            .list("stop", \.stop, "A text that ends an answer; may be repeated"),
            .optional(
                "max-length",
                \.maxLength,
                in: .tokens(atLeast: 2),
                "The most tokens of the conversation; none is the model's limit"
            ),
            .value("seed", \.seed, in: .notNegative, "The seed of sampling"),
        ]
    }

    /// Throws where the model is missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !model.model.isEmpty else { throw .combination("rto chat needs a model: --model DIRECTORY") }
        if data.inputTemplate != nil && data.chatTemplate != nil {
            throw .combination("--input-template and --chat-template exclude each other")
        }
        if data.inputTemplate != nil && system != nil {
            throw .combination("--system goes into a chat template; write it into --input-template")
        }
        if let maxLength, sampling.maxNewTokens >= maxLength {
            throw .combination(
                "--max-new-tokens \(sampling.maxNewTokens) leaves no room for a turn in --max-length \(maxLength); give a "
                    + "smaller one"
            )
        }
        guard isGreedy else { return }
        let standard = defaults.sampling
        if sampling.temperature != standard.temperature || sampling.topP != 1 || sampling.topK != 0 {
            throw .combination("--greedy draws nothing, so --temperature, --top-p and --top-k have no effect with it")
        }
    }
}
