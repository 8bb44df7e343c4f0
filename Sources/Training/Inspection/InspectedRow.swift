import Datasets

/// A row as tokens, with what models say of it.
public struct InspectedRow: Sendable {
    /// Its number over all files, from 1.
    public let number: Int
    /// What kind of row it is: one of `SeenRow.Kind`, or `sample` for a completion with the ids that were sampled.
    public let kind: String
    /// Where it stands.
    public let source: RowLocation
    /// One sequence, or the chosen and the rejected one of a pair, each with its prompt.
    public let sequences: [Sequence]
    /// Whether the response is a good one, where the row says so.
    public let label: Bool?
    /// Whether training leaves the row out.
    public let isDropped: Bool
    /// What became of the row on the way; nil for ids that were sampled.
    public let report: DatasetReport?

    /// Prompt and response.
    public struct Sequence: Sendable {
        /// `chosen`, `rejected`, `response` or `prompt`.
        public let name: String
        /// The tokens in order.
        public internal(set) var tokens: [Token]
        /// What the reward model says of it, where there is one.
        public internal(set) var score: Double?

        /// The tokens' rewards summed, where tokens have rewards.
        public var rewardSum: Double? {
            let rewards = tokens.compactMap(\.reward)
            return rewards.isEmpty ? nil : rewards.reduce(0, +)
        }
    }

    /// One token.
    public struct Token: Sendable {
        /// Its id.
        public let id: Int
        /// What it adds to the text, which may be part of a character; nil where there is no tokenizer.
        public let bytes: [UInt8]?
        /// Whether it is one of the tokenizer's special tokens.
        public let isSpecial: Bool
        /// Whether it is given, learned or neither.
        public let part: Part
        /// log(π_dpo/π_ref), where there are models to say so.
        public internal(set) var logRatio: Double?
        /// β₁ times that, within the bound.
        public internal(set) var reward: Double?
    }

    /// What a token is to training.
    public enum Part: String, Sendable {
        /// In front of all that is learned.
        case prompt
        /// Predicted, and part of the loss.
        case learned
        /// Behind the prompt, and no part of the loss.
        case notLearned = "not learned"
    }
}
