/// One sequence that a request wants sampled.
public struct SampleOrder: Sendable {
    /// The ids that are continued.
    public var prompt: [Int]
    /// The most tokens; 0 asks about the prompt alone.
    public var maxNewTokens: Int
    /// Tokens before which no stop token may come.
    public var minNewTokens = 0
    /// What logits are divided by; 0 takes the likeliest token each time.
    public var temperature = 1.0
    /// Only this many most probable tokens; 0 means all.
    public var topK = 0
    /// Only the most probable tokens whose sum reaches this.
    public var topP = 1.0
    /// Tokens that end it.
    public var stopTokens: Set<Int> = []
    /// With the number, decides what is sampled.
    public var seed: UInt64
    /// The number of the sequence among those of one seed.
    public var number: Int
    /// How many of the likeliest tokens are wanted beside each; nil wants no log-probabilities.
    public var alternatives: Int?
    /// Whether the prompt's tokens are scored too; the first has no score.
    public var scoresPrompt = false

    /// An order with unrestricted sampling.
    public init(prompt: [Int], maxNewTokens: Int, seed: UInt64, number: Int = 0) {
        self.prompt = prompt
        self.maxNewTokens = maxNewTokens
        self.seed = seed
        self.number = number
    }
}

/// A token with what the model says of it.
public struct SampledToken: Sendable, Equatable {
    /// A token that might stand in its place.
    public struct Alternative: Sendable, Equatable {
        /// Its id.
        public let id: Int
        /// log π of it.
        public let logProbability: Double

        /// A token with its log-probability.
        public init(id: Int, logProbability: Double) {
            self.id = id
            self.logProbability = logProbability
        }
    }

    /// Its id.
    public let id: Int
    /// log π of it by the model's own distribution; nil where it was not asked for, and for a text's first token.
    public let logProbability: Double?
    /// The likeliest tokens of that place, the likeliest first.
    public let alternatives: [Alternative]

    /// A token.
    public init(id: Int, logProbability: Double? = nil, alternatives: [Alternative] = []) {
        self.id = id
        self.logProbability = logProbability
        self.alternatives = alternatives
    }
}

/// What becomes of an order.
public enum SampleEvent: Sendable {
    /// The prompt's tokens but the first, scored.
    case prompt([SampledToken])
    /// One more token.
    case token(SampledToken)
    /// Nothing follows: a stop token came last, or as many tokens as were asked for.
    case end(isStop: Bool)
}

/// The orders of one request while they are sampled.
public struct Samples: Sendable {
    /// What becomes of each, by its place among them; it ends with the last one's end, or early where the engine stops.
    public let events: AsyncStream<(place: Int, event: SampleEvent)>
    /// Says that nobody wants the rest of one; of one that is over it says nothing.
    public let leave: @Sendable (_ place: Int) -> Void

    /// Orders that are sampled.
    public init(
        events: AsyncStream<(place: Int, event: SampleEvent)>,
        leave: @escaping @Sendable (_ place: Int) -> Void
    ) {
        self.events = events
        self.leave = leave
    }
}

/// Samples sequences for many callers at once.
public protocol TextEngine: Sendable {
    /// Starts orders; the caller leaves each whose end it has not seen.
    ///
    /// - Throws: ``APIError`` where too many wait already.
    func sample(_ orders: [SampleOrder]) throws(APIError) -> Samples
}

/// Scores sequences for many callers at once.
public protocol RewardEngine: Sendable {
    /// The reward of each sequence of ids.
    ///
    /// - Throws: ``APIError`` where too many wait already, and `CancellationError`.
    func rewards(of sequences: [[Int]]) async throws -> [Double]
}
