import JSONText

// Single rows, for commands that answer rows one by one.
extension DatasetReader {
    /// The tokens of one row as training sees them, none left out.
    ///
    /// - Throws: `DatasetError` where the row is bad.
    public func example(_ row: JSONObject, at location: RowLocation) throws(DatasetError) -> TokenizedExample {
        var report = DatasetReport()
        let row = DatasetRow(location: location, object: row)
        guard let example = try example(row, nil, dropsEmpty: false, &report) else {
            throw row.error(.inconsistent("the row has nothing to learn"))
        }
        return TokenizedExample(
            ids: example.prompt + example.response,
            promptLength: example.prompt.count,
            isLearned: example.isLearned,
            source: location
        )
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
