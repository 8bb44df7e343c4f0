import Datasets
import Tokenizers

/// A language model that is served: what a request is read by, and what answers it.
public struct ServedModel: Sendable {
    /// What requests call it.
    public var name: String
    /// When it was made, in seconds since 1970.
    public var created: Int
    /// Makes ids of texts and conversations.
    public var prompts: PromptTokenizer
    /// How many ids there are.
    public var vocabularySize: Int
    /// The most tokens of prompt and answer.
    public var contextLength: Int
    /// The most tokens of an answer; nil leaves it to the context.
    public var answerLimit: Int?
    /// Tokens that end an answer.
    public var stopTokens: Set<Int>
    /// What samples.
    public var engine: any TextEngine

    /// A model under a name.
    public init(
        name: String,
        created: Int,
        prompts: PromptTokenizer,
        vocabularySize: Int,
        contextLength: Int,
        answerLimit: Int?,
        stopTokens: Set<Int>,
        engine: any TextEngine
    ) {
        self.name = name
        self.created = created
        self.prompts = prompts
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.answerLimit = answerLimit
        self.stopTokens = stopTokens
        self.engine = engine
    }

    var tokenizer: Tokenizer { prompts.tokenizer }
}

/// A reward model that is served.
public struct ServedRewardModel: Sendable {
    /// Its name among the models.
    public var name: String
    /// When it was made, in seconds since 1970.
    public var created: Int
    /// Makes ids of texts.
    public var tokenizer: Tokenizer
    /// The most tokens of a text.
    public var contextLength: Int
    /// What scores.
    public var engine: any RewardEngine

    /// A model under a name.
    public init(name: String, created: Int, tokenizer: Tokenizer, contextLength: Int, engine: any RewardEngine) {
        self.name = name
        self.created = created
        self.tokenizer = tokenizer
        self.contextLength = contextLength
        self.engine = engine
    }
}
