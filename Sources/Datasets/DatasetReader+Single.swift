import JSONText

// Single rows, for commands that answer rows one by one.
extension DatasetReader {
    /// The tokens of one row as training sees them, none left out.
    ///
    /// - Throws: `DatasetError` where the row is bad.
    public func example(_ row: JSONObject, at location: RowLocation) throws(DatasetError) -> TokenizedExample {
        var report = DatasetReport()
        let row = DatasetRow(location: location, object: row)
        guard let example = try makeExample(row, nil, dropsEmpty: false, &report) else {
            throw row.error(.inconsistent("the row has nothing to learn"))
        }
        return example
    }

    /// The prompt of one row as sampling sees it.
    ///
    /// - Throws: `DatasetError` where the row is bad.
    public func prompt(_ row: JSONObject, at location: RowLocation) throws(DatasetError) -> TokenizedPrompt {
        var report = DatasetReport()
        let row = DatasetRow(location: location, object: row)
        guard let prompt = try prompt(row, nil, &report) else {
            throw row.error(.inconsistent("the row has no prompt"))
        }
        return prompt
    }

    /// A row as a sequence to learn from, or nil where it is dropped.
    func makeExample(
        _ row: DatasetRow,
        _ maximumLength: Int?,
        dropsEmpty: Bool,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> TokenizedExample? {
        guard let example = try example(row, maximumLength, dropsEmpty: dropsEmpty, &report) else { return nil }
        return TokenizedExample(
            ids: example.prompt + example.response,
            promptLength: example.prompt.count,
            isLearned: example.isLearned,
            source: row.location
        )
    }

    /// A row as a response with its label, or nil where it is dropped.
    func makeUnpaired(
        _ row: DatasetRow,
        _ maximumLength: Int?,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> UnpairedExample? {
        let label = try row.truth(options.keys.label ?? "label")
        guard let example = try makeExample(row, maximumLength, dropsEmpty: false, &report) else { return nil }
        guard example.promptLength > 0 else { throw row.error(.inconsistent("the prompt has no tokens")) }
        return UnpairedExample(example: example, label: label)
    }

    /// A row as a pair, or nil where it is dropped.
    func makePair(
        _ row: DatasetRow,
        _ maximumLength: Int?,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> TokenizedPair? {
        var (prompt, chosen, rejected) = try pairTokens(row, &report)
        try requireTokens(prompt, "prompt", row)
        guard fits(prompt, maximumLength, &report) else { return nil }
        cut(&chosen, behind: prompt, maximumLength, &report)
        cut(&rejected, behind: prompt, maximumLength, &report)
        return TokenizedPair(
            prompt: prompt,
            chosen: chosen,
            rejected: rejected,
            margin: options.readsMargins ? try row.number("margin") : nil,
            source: row.location
        )
    }

    /// The tokens of a row's prompt, or nil where there are more than allowed.
    func prompt(
        _ row: DatasetRow,
        _ maximumLength: Int?,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> TokenizedPrompt? {
        let ids: [Int]
        var text: String?
        switch try forms.prompt(of: row) {
        case .tokens(let tokens): ids = tokens
        case .passage(let passage):
            let prompt = try rowTokenizer.prompt(passage, row)
            (ids, text) = (prompt.ids, prompt.text)
        }
        try checkVocabulary(ids, "prompt_ids", row)
        try requireTokens(ids, "prompt", row)
        guard ids.count <= maximumLength ?? .max else {
            report.promptsTooLong += 1
            return nil
        }
        return TokenizedPrompt(ids: ids, text: text, row: row.object, source: row.location)
    }
}
