// Data sets of any size: their tokens are kept in a folder.
extension DatasetReader {
    /// The rows as sequences to learn from, kept in a folder under a name.
    ///
    /// - Parameter maximumLength: The most tokens of prompt and response together, or nil for any number.
    /// - Throws: `DatasetError` as `examples(maximumLength:)` does, where the folder cannot be used, and where its tokens are not those
    ///   of the files and settings as they are now.
    public func examples(
        maximumLength: Int?,
        in folder: TokenFolder,
        named name: String
    ) throws(DatasetError) -> TokenRows<TokenizedExample> {
        try rows(maximumLength, folder, name, reads: ["messages", "prompt", "completion", "text"]) {
            (row, report) throws(DatasetError) in try makeExample(row, maximumLength, dropsEmpty: true, &report)
        }
    }

    /// The rows as good and bad responses, kept in a folder under a name.
    ///
    /// - Parameter maximumLength: The most tokens of prompt and response together, or nil for any number.
    /// - Throws: `DatasetError` as `examples(maximumLength:in:named:)` does, and for a row without a prompt.
    public func unpairedExamples(
        maximumLength: Int?,
        in folder: TokenFolder,
        named name: String
    ) throws(DatasetError) -> TokenRows<UnpairedExample> {
        try rows(maximumLength, folder, name, reads: ["messages", "prompt", "completion", "text", "label"]) {
            (row, report) throws(DatasetError) in try makeUnpaired(row, maximumLength, &report)
        }
    }

    /// The rows as pairs of responses to one prompt, kept in a folder under a name.
    ///
    /// - Parameter maximumLength: The most tokens of the prompt and one response together, or nil for any number.
    /// - Throws: `DatasetError` as `examples(maximumLength:in:named:)` does, and for a row without a prompt.
    public func pairs(
        maximumLength: Int?,
        in folder: TokenFolder,
        named name: String
    ) throws(DatasetError) -> TokenRows<TokenizedPair> {
        try rows(maximumLength, folder, name, reads: ["prompt", "chosen", "rejected", "margin"]) {
            (row, report) throws(DatasetError) in try makePair(row, maximumLength, &report)
        }
    }

    /// The rows as prompts to be answered, kept in a folder under a name: their ids alone.
    ///
    /// - Parameter maximumLength: The most tokens of a prompt, or nil for any number; longer ones are dropped.
    /// - Throws: `DatasetError` as `examples(maximumLength:in:named:)` does, and for a row without a prompt.
    public func prompts(
        maximumLength: Int?,
        in folder: TokenFolder,
        named name: String
    ) throws(DatasetError) -> TokenRows<PromptTokens> {
        try rows(maximumLength, folder, name, reads: ["prompt", "context_messages", "messages"]) {
            (row, report) throws(DatasetError) in
            try prompt(row, maximumLength, &report).map { PromptTokens(ids: $0.ids, source: $0.source) }
        }
    }

    /// - Parameter columns: Which of the columns that hold content, and are no variables of a chat template, these rows are made of.
    private func rows<Row: StorableRow>(
        _ maximumLength: Int?,
        _ folder: TokenFolder,
        _ name: String,
        reads columns: Set<String>,
        _ make: RowMaker<Row>
    ) throws(DatasetError) -> TokenRows<Row> {
        // What is held out depends on the whole row where no prompt stands apart.
        let skipped =
            options.heldOut == nil ? RowRenderer.contentColumns.subtracting(columns.union(options.keys.names)) : []
        return try folder.rows(
            named: name,
            of: self,
            maximumLength: maximumLength,
            columns: ColumnChoice(skipped: skipped),
            make
        )
    }
}

extension DatasetKeys {
    /// The names that are given.
    fileprivate var names: Set<String> { Set([prompt, chosen, rejected, input, output, label].compactMap(\.self)) }
}
