import JSONText

/// What rows are read as.
public enum RowReading: Sendable, Equatable {
    /// Sequences to learn from: supervised fine-tuning and distillation.
    case example
    /// Responses with a label.
    case unpaired
    /// Pairs of responses.
    case pair
    /// Prompts to be answered.
    case prompt
}

/// A row as training sees it, for people to look at: made by the code that makes the rows of a run.
public struct SeenRow: Sendable, Equatable {
    /// What kind of row it is.
    public let kind: Kind
    /// The ids in front of all that is learned.
    public let prompt: [Int]
    /// What follows the prompt: one response, the chosen and the rejected one, or none.
    public let responses: [Response]
    /// Whether the response is a good one, where the row says so.
    public let label: Bool?
    /// Whether training leaves the row out, for the reason that the report counts; its tokens are all there nevertheless.
    public let isDropped: Bool
    /// What became of the row on the way.
    public let report: DatasetReport
    /// Where the row stands.
    public let source: RowLocation

    /// The kinds of rows.
    public enum Kind: String, Sendable {
        /// Messages, of which the last or all that the template marks are learned.
        case conversation
        /// A prompt and the response to it, in text or messages.
        case promptAndCompletion = "prompt-completion"
        /// A text that is learned as a whole.
        case text
        /// Ids, taken as they are.
        case ids
        /// A response with a label.
        case unpaired
        /// Two responses to one prompt.
        case pair
        /// A prompt to be answered.
        case prompt
    }

    /// A response.
    public struct Response: Sendable, Equatable {
        /// Its ids.
        public let ids: [Int]
        /// Which of them are learned, where not all of them are.
        public let isLearned: [Bool]?
    }
}

extension DatasetReader {
    /// One row as training sees it.
    ///
    /// - Parameters:
    ///   - reading: what the row is read as; nil goes by its shape, by which an answer makes it an example.
    ///   - maximumLength: the most tokens of a sequence, or nil for any number
    ///   - maximumPromptLength: the most tokens of a prompt that is to be answered
    /// - Throws: `DatasetError` where the row is bad.
    public func seen(
        _ object: JSONObject,
        at location: RowLocation,
        as reading: RowReading?,
        maximumLength: Int?,
        maximumPromptLength: Int?
    ) throws(DatasetError) -> SeenRow {
        let row = DatasetRow(location: location, object: object)
        switch reading ?? forms.reading(of: row) {
        case .example:
            let kind = try forms.example(of: row).kind
            return try seen(row, maximumLength) { (limit, dropsEmpty, report) throws(DatasetError) in
                try makeExample(row, limit, dropsEmpty: dropsEmpty, &report).map { $0.parts(kind, label: nil) }
            }
        case .unpaired:
            return try seen(row, maximumLength) { (limit, _, report) throws(DatasetError) in
                try makeUnpaired(row, limit, &report).map { $0.example.parts(.unpaired, label: $0.label) }
            }
        case .pair:
            return try seen(row, maximumLength) { (limit, _, report) throws(DatasetError) in
                try makePair(row, limit, &report).map {
                    let responses = [$0.chosen, $0.rejected].map { SeenRow.Response(ids: $0, isLearned: nil) }
                    return (.pair, $0.prompt, responses, nil)
                }
            }
        case .prompt:
            return try seen(row, maximumPromptLength) { (limit, _, report) throws(DatasetError) in
                try prompt(row, limit, &report).map { (.prompt, $0.ids, [], nil) }
            }
        }
    }

    /// What is made within a limit, or without one where the limit drops the row.
    private func seen(
        _ row: DatasetRow,
        _ limit: Int?,
        _ make: (_ limit: Int?, _ dropsEmpty: Bool, inout DatasetReport) throws(DatasetError) -> Parts?
    ) throws(DatasetError) -> SeenRow {
        var report = DatasetReport()
        let kept = try make(limit, true, &report)
        var whole = DatasetReport()
        var parts = kept
        if parts == nil { parts = try make(nil, false, &whole) }
        guard let parts else { throw row.error(.inconsistent("the row has nothing to learn")) }
        return SeenRow(
            kind: parts.kind,
            prompt: parts.prompt,
            responses: parts.responses,
            label: parts.label,
            isDropped: kept == nil,
            report: report,
            source: row.location
        )
    }
}

private typealias Parts = (kind: SeenRow.Kind, prompt: [Int], responses: [SeenRow.Response], label: Bool?)

extension TokenizedExample {
    fileprivate func parts(_ kind: SeenRow.Kind, label: Bool?) -> Parts {
        let response = SeenRow.Response(ids: Array(ids.dropFirst(promptLength)), isLearned: isLearned)
        return (kind, Array(ids.prefix(promptLength)), [response], label)
    }
}

extension RowForms {
    /// What a row is for, by its shape.
    func reading(of row: DatasetRow) -> RowReading {
        if keys.chosen != nil || row.has("chosen") || row.has("chosen_ids") { return .pair }
        let hasAnswer = keys.output != nil || row.has("completion")
        if hasAnswer && (keys.label != nil || row.has("label")) { return .unpaired }
        if hasAnswer || row.has("input_ids") { return .example }
        if keys.input != nil || keys.prompt != nil { return .prompt }
        if let messages = row.object["messages"]?.array {
            return messages.last.map(isAnswer) ?? false ? .example : .prompt
        }
        let hasPrompt = ["prompt", "prompt_ids", "context_messages"].contains(where: row.has)
        return hasPrompt && !row.has("text") ? .prompt : .example
    }
}

extension ExampleContent {
    fileprivate var kind: SeenRow.Kind {
        switch self {
        case .tokens: .ids
        case .wholeText: .text
        case .text, .messages: .promptAndCompletion
        case .conversation: .conversation
        }
    }
}
