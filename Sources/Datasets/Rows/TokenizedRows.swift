import JSONText

/// A sequence to learn from: the tokens behind the prompt are what the loss sees.
public struct TokenizedExample: Sendable, Equatable {
    /// The ids of prompt and response.
    public let ids: [Int]
    /// The number of leading ids that belong to the prompt; 0 where all of a text is learned, of which the first id is never predicted.
    public let promptLength: Int
    /// Which of the ids behind the prompt the loss sees, where it does not see all of them: those that the assistant has written.
    public let isLearned: [Bool]?
    /// Where the row stands.
    public let source: RowLocation
}

/// A prompt with a preferred and another response.
public struct TokenizedPair: Sendable, Equatable {
    /// The ids that both sequences begin with, at least one.
    public let prompt: [Int]
    /// The ids of the preferred response, its end of sequence included.
    public let chosen: [Int]
    /// The ids of the other response, its end of sequence included.
    public let rejected: [Int]
    /// By how much the preferred response is to be the better one, where margins are read and the row has one.
    public let margin: Double?
    /// Where the row stands.
    public let source: RowLocation
}

/// A prompt to be answered.
public struct TokenizedPrompt: Sendable, Equatable {
    /// The ids, at least one.
    public let ids: [Int]
    /// The text that the ids were made of, template included, or nil where the row holds ids.
    public let text: String?
    /// The whole row.
    public let row: JSONObject
    /// Where the row stands.
    public let source: RowLocation

    /// The prompt with more ids behind it.
    public func continued(by more: [Int]) -> TokenizedPrompt {
        TokenizedPrompt(ids: ids + more, text: nil, row: row, source: source)
    }
}

/// A response that is good or bad by itself.
public struct UnpairedExample: Sendable, Equatable {
    /// Prompt, of at least one id, and response.
    public let example: TokenizedExample
    /// Whether the response is a good one.
    public let label: Bool

    /// Where the row stands.
    public var source: RowLocation { example.source }
}
