/// Who judges answers, and how it is asked.
public struct JudgeSettings: Equatable, Sendable {
    /// The address of an OpenAI-compatible service, up to and without `/chat/completions`.
    public var url: String?
    /// The judge's name there.
    public var model: String?
    /// The file with the benchmark's prompt.
    public var prompt: String?
    /// A language model here that judges.
    public var localModel: String?
    /// A reward model here that judges.
    public var rewardModel: String?
    /// What the service takes for a token, in US dollars; nil is what AlpacaEval reckons with for its judges.
    public var pricePerToken: Double?
    /// Calls under way at once.
    public var concurrency = 8
    /// How often a call is tried.
    public var attempts = 8
    /// Seconds for one attempt.
    public var timeOut = 300.0

    /// Creates the defaults.
    public init() {}

    /// How many judges are named; more than one contradict each other.
    var count: Int { [url, localModel, rewardModel].count { $0 != nil } }
}

/// A configuration of a command that has answers judged.
public protocol Judged {
    /// Who judges.
    var judge: JudgeSettings { get set }
}

extension Setting where Root: Judged {
    static var judging: [Setting] {
        [
            .optional("judge-url", \.judge.url, "An OpenAI-compatible service; its key comes from OPENAI_API_KEY"),
            .optional("judge-model", \.judge.model, "The judge's name there; none is the benchmark's own judge"),
            .optional("judge-prompt", \.judge.prompt, input: .file, "The file with the benchmark's prompt"),
            .value("concurrency", \.judge.concurrency, in: .from(1, through: 1024), "Calls under way at once"),
            .value("judge-attempts", \.judge.attempts, in: .from(1, through: 100), "How often a call is tried"),
            .value("judge-time-out", \.judge.timeOut, in: .positive, "Seconds for one attempt"),
        ]
    }

    static var prices: [Setting] {
        [
            .optional(
                "judge-price",
                \.judge.pricePerToken,
                in: .notNegative,
                "US dollars for a token, for the annotations; none is what AlpacaEval reckons with"
            )
        ]
    }

    static var localJudges: [Setting] {
        [
            .optional("local-judge", \.judge.localModel, input: .model, "A language model here as judge instead"),
            .optional("reward-model", \.judge.rewardModel, input: .model, "A reward model here as judge instead"),
        ]
    }
}

/// A configuration of a command that has a model answer a benchmark's questions first.
public protocol Answering {
    /// How the model is run; its prompts are the benchmark's.
    var generation: GenerateConfiguration { get set }
}

extension Setting where Root: Answering {
    static var answering: [Setting] {
        [
            .optional("model", \.answeringModel, input: .model, "The Hugging Face model to answer with"),
            .optional(
                "chat-template",
                \.generation.data.chatTemplate,
                input: .file,
                "A chat template instead of its own"
            ),
            .optional(
                "input-template",
                \.generation.data.inputTemplate,
                in: .template,
                "What a prompt is put into, at {}, instead of a chat template"
            ),
            .value("max-prompt-length", \.generation.maxPromptLength, in: .positive, "Longer prompts are refused"),
            .value("max-new-tokens", \.generation.sampling.maxNewTokens, in: .positive, "The most tokens of an answer"),
            .value("temperature", \.generation.sampling.temperature, in: .positive, "What logits are divided by"),
            .value("top-p", \.generation.sampling.topP, in: .above(0, through: 1), "The likeliest mass to draw from"),
            .flag("greedy", \.generation.isGreedy, "Take the likeliest token each time"),
            .value("batch-size", \.generation.batchSize, in: .positive, "Answers decoded together"),
            .value("seed", \.generation.seed, in: .notNegative, "The seed of sampling and bootstraps"),
        ]
    }
}

extension Answering {
    fileprivate var answeringModel: String? {
        get { generation.model.model.isEmpty ? nil : generation.model.model }
        set { generation.model.model = newValue ?? "" }
    }

    /// Whether a model is to answer first.
    public var answers: Bool { answeringModel != nil }

    /// The number format, the device and the threads.
    public var compute: ComputeSettings {
        get { generation.compute }
        set { generation.compute = newValue }
    }
}
