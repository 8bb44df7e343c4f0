/// Everything that `rto serve` needs to know.
public struct ServeConfiguration: Sendable, Equatable {
    /// The language model and its tokenizer; the reference model is not used.
    public var model = ModelSettings()
    /// The reward model that `/get_reward` asks.
    public var rewardModel: String?
    /// Answer rewards less their mean and over their deviation, as the reward model's directory has them.
    public var normalizeReward = false
    /// What requests call the language model; `nil` is the last part of its path.
    public var name: String?
    /// The chat template; what concerns rows of files is not used.
    public var data = DataSettings()
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The address to listen to.
    public var host = "127.0.0.1"
    /// The port to listen to; 0 takes one that is free.
    public var port = 8000
    /// What requests must bear; `nil` leaves it to ``tokenFile`` and the environment.
    public var token: String?
    /// A file that holds what requests must bear.
    public var tokenFile: String?
    /// The most tokens of prompt and answer together; `nil` is the model's own limit, or ``longestDefault`` where that is less.
    public var maxLength: Int?
    /// The most tokens of an answer; `nil` leaves it to ``maxLength``.
    public var maxNewTokens: Int?
    /// The most answers that are sampled at once.
    public var maxConcurrent = 64
    /// The most bytes of keys and values; fewer answers are sampled at once where they would need more.
    public var cacheBytes = 2 << 30
    /// The most answers that wait for their turn.
    public var maxWaiting = 256
    /// The most bytes of a request.
    public var maxBodyBytes = 16 << 20
    /// Seconds that a client has to send a request's body.
    public var bodyTimeout = 30.0
    /// Seconds that an answer may take.
    public var requestTimeout = 600.0
    /// Seconds that running requests have when the server is told to stop.
    public var gracePeriod = 30.0
    /// The most connections at once.
    public var maxConnections = 512

    /// The most tokens of prompt and answer of a model that allows more, unless more are asked for: its cache takes memory.
    public static let longestDefault = 8192
    /// The environment's name for the token.
    public static let tokenVariable = "RTO_SERVE_TOKEN"

    /// Creates the defaults.
    public init() {}

    /// ``model``'s directory, which may be left out where there is a reward model.
    private var languageModel: String? {
        get { model.model.isEmpty ? nil : model.model }
        set { model.model = newValue ?? "" }
    }
}

extension ServeConfiguration: Configurable, Computing, ReadingRows {
    /// "rto serve".
    public var command: String { "rto serve" }
    /// What the command does.
    public var overview: String {
        "Answer requests over HTTP: OpenAI's chat and completions, and OpenRLHF's rewards."
    }
    /// The command with nothing given.
    public var defaults: ServeConfiguration { ServeConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<ServeConfiguration>] {
        [
            SettingGroup("Models", Self.models),
            SettingGroup("Address", Self.address),
            SettingGroup("Limits", Self.limits),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var models: [Setting<Self>] {
        [
            .optional("model", \.languageModel, input: .model, "The model, or adapter, behind /v1/…"),
            .optional("reward-model", \.rewardModel, input: .model, "The reward model behind /get_reward"),
            .flag("normalize-reward", \.normalizeReward, "Answer rewards less their mean, over their deviation"),
            .tokenizer,
            .optional("name", \.name, "What requests call the model; none is the last part of its path"),
            .optional("chat-template", \.data.chatTemplate, input: .file, "A chat template instead of the model's own"),
        ]
    }

    private static var address: [Setting<Self>] {
        [
            .value("host", \.host, "The address to listen to; one that others reach demands a token"),
            .value("port", \.port, in: .from(0, through: 65535), "The port to listen to; 0 takes a free one"),
            .optional(
                "token-file",
                \.tokenFile,
                input: .file,
                "A file with the token that requests must bear; or RTO_SERVE_TOKEN holds it"
            ),
            .optional("token", \.token, "The token itself, which everybody on this machine can see"),
        ]
    }

    private static var limits: [Setting<Self>] {
        [
            .optional(
                "max-length",
                \.maxLength,
                in: .tokens(atLeast: 2),
                "The most tokens of prompt and answer; none is the model's limit, at most \(longestDefault)"
            ),
            .optional(
                "max-new-tokens",
                \.maxNewTokens,
                in: .tokens(),
                "The most tokens of an answer; none is what fits"
            ),
            .value("max-concurrent", \.maxConcurrent, in: .from(1, through: 4096), "Answers sampled at once"),
            .value("cache-bytes", \.cacheBytes, in: .positive, "Bytes of keys and values; may lower --max-concurrent"),
            .value(
                "max-waiting",
                \.maxWaiting,
                in: .from(0, through: 1 << 20),
                "Answers that wait; more are told to come again"
            ),
            .value("max-body-bytes", \.maxBodyBytes, in: .positive, "The most bytes of a request"),
            .value("max-connections", \.maxConnections, in: .from(1, through: 1 << 20), "Connections at once"),
            .value("body-timeout", \.bodyTimeout, in: seconds, "Seconds to send the body of a request"),
            .value("request-timeout", \.requestTimeout, in: seconds, "Seconds that an answer may take"),
            .value("grace-period", \.gracePeriod, in: seconds, "Seconds to end running requests when it stops"),
        ]
    }

    private static var seconds: Limits<Double> { .above(0, through: 1e6) }

    /// Throws where no model is given, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !model.model.isEmpty || rewardModel != nil else {
            throw .combination("rto serve needs --model DIRECTORY, --reward-model DIRECTORY, or both")
        }
        if token != nil && tokenFile != nil { throw .combination("--token and --token-file say the same; give one") }
        if normalizeReward && rewardModel == nil {
            throw .combination("--normalize-reward has an effect only with --reward-model")
        }
        if model.model.isEmpty, name != nil || data.chatTemplate != nil || maxNewTokens != nil {
            throw .combination("--name, --chat-template and --max-new-tokens have an effect only with --model")
        }
        if let maxLength, let maxNewTokens, maxNewTokens >= maxLength {
            throw .combination(
                "--max-new-tokens \(maxNewTokens) leaves no room for a prompt in --max-length \(maxLength)"
            )
        }
    }
}
