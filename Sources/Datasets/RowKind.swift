import JSONText

/// What rows are made into: how, and of which columns.
public struct RowKind<Row: StorableRow>: Sendable {
    /// Makes one row, or nil where it is dropped, and counts what became of it.
    typealias Maker =
        @Sendable (DatasetReader, DatasetRow, _ maximumLength: Int?, inout DatasetReport) throws(DatasetError) -> Row?

    /// Which of the columns that hold content, and are no variables of a chat template, such a row is made of.
    fileprivate let columns: Set<String>
    fileprivate let make: Maker

    fileprivate init(_ columns: Set<String>, _ make: @escaping Maker) {
        (self.columns, self.make) = (columns, make)
    }
}

extension RowKind where Row == TokenizedExample {
    /// Sequences to learn from; at most as many tokens of prompt and response together as are allowed.
    public static var examples: RowKind {
        RowKind(["messages", "prompt", "completion", "text"]) {
            (reader, row, limit, report) throws(DatasetError) in
            try reader.makeExample(row, limit, dropsEmpty: true, &report)
        }
    }
}

extension RowKind where Row == UnpairedExample {
    /// Good and bad responses, each to a prompt; at most as many tokens of both together as are allowed.
    public static var unpairedExamples: RowKind {
        RowKind(["messages", "prompt", "completion", "text", "label"]) {
            (reader, row, limit, report) throws(DatasetError) in try reader.makeUnpaired(row, limit, &report)
        }
    }
}

extension RowKind where Row == TokenizedPair {
    /// Pairs of responses to one prompt; at most as many tokens of the prompt and one response together as are allowed.
    public static var pairs: RowKind {
        RowKind(["prompt", "chosen", "rejected", "margin"]) {
            (reader, row, limit, report) throws(DatasetError) in try reader.makePair(row, limit, &report)
        }
    }
}

extension RowKind where Row == PromptTokens {
    /// Prompts to be answered, their ids alone; longer ones than are allowed are dropped.
    public static var prompts: RowKind {
        RowKind(["prompt", "context_messages", "messages"]) {
            (reader, row, limit, report) throws(DatasetError) in
            try reader.prompt(row, limit, &report).map { PromptTokens(ids: $0.ids, source: $0.source) }
        }
    }
}

extension DatasetReader {
    /// The rows as what they are wanted for, in memory.
    ///
    /// - Parameter maximumLength: The most tokens, or nil for any number.
    /// - Throws: `DatasetError` for files that cannot be read, bad rows unless they are skipped, and where no row is left.
    public func rows<Row>(
        _ kind: RowKind<Row>,
        maximumLength: Int? = nil
    ) throws(DatasetError) -> TokenizedDataset<Row> {
        try rows(of: columns(kind)) { (row, report) throws(DatasetError) in
            try kind.make(self, row, maximumLength, &report)
        }
    }

    /// The rows as what they are wanted for, of any number, kept in a folder under a name.
    ///
    /// - Parameter maximumLength: The most tokens, or nil for any number.
    /// - Throws: `DatasetError` as `rows(_:maximumLength:)` does, where the folder cannot be used, and where its tokens are not those of
    ///   the files and settings as they are now.
    public func rows<Row>(
        _ kind: RowKind<Row>,
        maximumLength: Int?,
        in folder: TokenFolder,
        named name: String
    ) throws(DatasetError) -> TokenRows<Row> {
        try folder.rows(named: name, of: self, maximumLength: maximumLength, columns: columns(kind)) {
            (row, report) throws(DatasetError) in try kind.make(self, row, maximumLength, &report)
        }
    }

    /// Which columns such rows need, and which are never looked at.
    private func columns<Row>(_ kind: RowKind<Row>) -> ColumnChoice {
        ColumnChoice(
            // What is held out depends on the whole row where no prompt stands apart.
            skipped: options.heldOut == nil
                ? RowRenderer.contentColumns.subtracting(kind.columns.union(options.keys.names)) : [],
            required: knownColumns
        )
    }

    /// The columns that rows of any kind may be made of; others are variables of a chat template that few ask for.
    var knownColumns: Set<String> {
        RowRenderer.contentColumns.union(RowRenderer.knownVariables).union(options.keys.names).union([
            "input_ids", "prompt_length", "prompt_ids", "chosen_ids", "rejected_ids", "completion_ids",
        ])
    }
}

extension DatasetKeys {
    /// The names that are given.
    fileprivate var names: Set<String> { Set([prompt, chosen, rejected, input, output, label].compactMap(\.self)) }
}
