import Torch

/// Flat tokens with their positions and segments: a batch without padding.
public struct TokenBatch {
    /// Token ids, `[tokens]`.
    public private(set) var tokens: [Int] = []
    /// Positions within each sequence, `[tokens]`.
    public private(set) var positions: [Int] = []
    /// The runs of tokens; a child's tokens go on where its parent's end.
    public private(set) var segments: [Segment] = []

    /// An empty batch to which segments are added.
    public init() {}

    /// One segment for each sequence.
    public init(_ sequences: [[Int]]) {
        for ids in sequences { append(ids) }
    }

    /// Adds one more segment and returns its index.
    @discardableResult
    public mutating func append(_ ids: [Int], parent: Int? = nil) -> Int {
        let first = parent.map { segments[$0].length } ?? 0
        segments.append(Segment(start: tokens.count, length: ids.count, parent: parent))
        tokens += ids
        positions += first..<first + ids.count
        return segments.count - 1
    }
}

/// Responses to prompts, ready for scoring: which flat token predicts which target.
///
/// Consecutive rows with the same prompt share it: the prompt is one segment and the responses are its children.
public struct ResponseBatch {
    /// One sequence: a prompt and the response that is scored.
    public struct Row: Sendable, Equatable {
        /// Ids that are given; where empty, the response's first token is given and not scored.
        public var prompt: [Int]
        /// Ids that are scored.
        public var response: [Int]
        /// Which ids of the response are scored, where not all of them are.
        public var isScored: [Bool]?

        /// A prompt with its response.
        public init(prompt: [Int], response: [Int], isScored: [Bool]? = nil) {
            precondition(isScored.map { $0.count == response.count } ?? true, "a row has not as many marks as ids")
            self.prompt = prompt
            self.response = response
            self.isScored = isScored
        }
    }

    /// The tokens of all rows, shared prompts once.
    public let batch: TokenBatch
    /// Flat index of the token whose hidden state predicts each response token, rows in order.
    public let predictors: [Int]
    /// The response tokens, rows in order.
    public let targets: [Int]
    /// The number of scored tokens of each row.
    public let lengths: [Int]
    /// Flat index of each row's last token, where a reward model looks.
    public let lastTokens: [Int]

    /// Lays rows out one after the other.
    public init(_ rows: [Row]) {
        var batch = BatchBuilder()
        var predictors: [Int] = []
        var targets: [Int] = []
        var lengths: [Int] = []
        var lastTokens: [Int] = []
        for row in rows {
            // Without a prompt nothing predicts the first token: it becomes the prompt.
            let given = row.prompt.isEmpty ? Array(row.response.prefix(1)) : row.prompt
            let scored = row.prompt.isEmpty ? Array(row.response.dropFirst()) : row.response
            let (promptEnd, start) = batch.append(prompt: given, response: scored)
            let marks = row.isScored.map { Array($0.suffix(scored.count)) }
            let places = scored.indices.filter { marks?[$0] ?? true }
            for index in places {
                predictors.append(index == 0 ? promptEnd : start + index - 1)
                targets.append(scored[index])
            }
            lengths.append(places.count)
            lastTokens.append(scored.isEmpty ? promptEnd : start + scored.count - 1)
        }
        self.batch = batch.batch
        self.predictors = predictors
        self.targets = targets
        self.lengths = lengths
        self.lastTokens = lastTokens
    }

    /// Cuts rows into runs whose flat tokens stay within a budget, at least one row each, in order.
    ///
    /// `together` is the number of consecutive rows that must stay in one run, for example two for a pair.
    public static func microBatches(_ rows: [Row], tokenBudget: Int, together: Int = 1) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = 0
        var tokens = 0
        for first in stride(from: 0, to: rows.count, by: together) {
            let last = min(first + together, rows.count)
            var size = 0
            for index in first..<last {
                let shares = index > start && rows[index].prompt == rows[index - 1].prompt
                size += rows[index].response.count + (shares ? 0 : rows[index].prompt.count)
            }
            if first > start, tokens + size > tokenBudget {
                result.append(start..<first)
                start = first
                tokens = rows[first].prompt == rows[max(0, first - 1)].prompt ? rows[first].prompt.count : 0
            }
            tokens += size
        }
        if start < rows.count { result.append(start..<rows.count) }
        return result
    }
}

/// Appends prompt-response rows in linear time, reusing the last prompt's segment where it is the same.
private struct BatchBuilder {
    private(set) var batch = TokenBatch()
    private var lastPrompt: (ids: [Int], segment: Int)?

    /// The flat index of the prompt's last token and of the response's first.
    mutating func append(prompt: [Int], response: [Int]) -> (promptEnd: Int, start: Int) {
        let segment: Int
        if let last = lastPrompt, last.ids == prompt {
            segment = last.segment
        } else {
            segment = batch.append(prompt)
            lastPrompt = (prompt, segment)
        }
        let start = batch.tokens.count
        if !response.isEmpty { batch.append(response, parent: segment) }
        let place = batch.segments[segment]
        return (place.start + place.length - 1, start)
    }
}
