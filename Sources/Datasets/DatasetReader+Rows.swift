import JSONText

extension DatasetReader {
    /// Makes one row of what is to be returned, or nil where it is dropped, and counts what became of it.
    typealias RowMaker<Row> = @Sendable (DatasetRow, inout DatasetReport) throws(DatasetError) -> Row?

    /// How many rows, and how many bytes of them, are read before they are parsed and made into tokens on all processors.
    private static var batchLimit: (rows: Int, bytes: Int) { (4096, 8 << 20) }

    /// Reads all files and mixes their rows.
    func rows<Row: Sendable>(
        of columns: ColumnChoice,
        _ make: RowMaker<Row>
    ) throws(DatasetError) -> TokenizedDataset<Row> {
        var rows: [Row] = []
        let (mixture, report, _) = try readAll(try files(), columns, make) { (row) throws(DatasetError) in
            rows.append(row)
        }
        return TokenizedDataset(rows: (0..<mixture.count).map { rows[mixture[$0]] }, report: report)
    }

    /// Reads the rows of all sources one after another and hands out what they become; nothing of them is kept.
    ///
    /// - Parameters:
    ///   - files: Those of each source.
    ///   - columns: Which columns rows are made of.
    /// - Returns: Which of the rows that were handed out are used, and in which order; what became of all; how many are of each source.
    func readAll<Row: Sendable>(
        _ files: [[DatasetFile]],
        _ columns: ColumnChoice,
        _ make: RowMaker<Row>,
        _ take: (Row) throws(DatasetError) -> Void
    ) throws(DatasetError) -> (mixture: DatasetMixture, report: DatasetReport, counts: [Int]) {
        var report = DatasetReport()
        var counts: [Int] = []
        for files in files {
            var count = 0
            try read(files, columns, make, &report) { (row) throws(DatasetError) in
                count += 1
                try take(row)
            }
            counts.append(count)
        }
        let mixture = mixture(counts)
        report.rowsUsed = mixture.count
        try requireEverySource(mixture, counts, report)
        report.rowsOutsideMixture = counts.reduce(0, +) - mixture.count
        try requireRows(report)
        return (mixture, report, counts)
    }

    /// The files of each source.
    func files() throws(DatasetError) -> [[DatasetFile]] {
        try sources.map { (source) throws(DatasetError) in try source.files() }
    }

    func mixture(_ counts: [Int]) -> DatasetMixture {
        DatasetMixture(counts: counts, weights: sources.map(\.weight), seed: options.seed)
    }

    private func read<Row: Sendable>(
        _ files: [DatasetFile],
        _ columns: ColumnChoice,
        _ make: RowMaker<Row>,
        _ report: inout DatasetReport,
        _ take: (Row) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        var batch: [UnparsedRow] = []
        var byteCount = 0
        for file in files {
            try file.forEachRow(columns) { (row) throws(DatasetError) in
                batch.append(row)
                byteCount += row.byteCount
                guard batch.count >= Self.batchLimit.rows || byteCount >= Self.batchLimit.bytes else { return }
                try hand(batch, make, &report, take)
                batch.removeAll(keepingCapacity: true)
                byteCount = 0
                options.progress?(report.rowsRead)
            }
        }
        try hand(batch, make, &report, take)
    }

    private func hand<Row: Sendable>(
        _ batch: [UnparsedRow],
        _ make: RowMaker<Row>,
        _ report: inout DatasetReport,
        _ take: (Row) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        let outcomes = batch.concurrentMap { row in
            var report = DatasetReport()
            let made = Result { () throws(DatasetError) in
                let row = try row.parsed()
                report.columnsLeftOut.formUnion(row.unreadableColumns)
                guard options.heldOut?.takes(row.object, options.keys) ?? true else {
                    report.rowsOfOtherPart += 1
                    return Row?.none
                }
                return try make(row, &report)
            }
            return (made, report)
        }
        var taken: [Row] = []
        for (made, counts) in outcomes {
            report.rowsRead += 1
            do throws(DatasetError) {
                let row = try made.get()
                report.add(counts)
                if let row { taken.append(row) }
            } catch {
                guard options.skipsBadRows else { throw error }
                report.addBadRow(error)
            }
        }
        // Not above: what cannot be written is no fault of a row.
        for row in taken { try take(row) }
    }

    /// Refuses a mixture of which a source has no row: for want of rows, which leaves no mixture, or by its weight.
    private func requireEverySource(
        _ mixture: DatasetMixture,
        _ counts: [Int],
        _ report: DatasetReport
    ) throws(DatasetError) {
        guard sources.contains(where: { $0.weight != nil }), counts.contains(where: { $0 > 0 }) else { return }
        if let empty = counts.firstIndex(of: 0) {
            throw DatasetError(path: sources[empty].path, .noUsableRows(report: "\(report)"))
        }
        for (number, source) in sources.enumerated() where !mixture.hasRow(of: number) {
            throw DatasetError(path: source.path, .outsideMixture(rowsUsed: report.rowsUsed))
        }
    }

    private func requireRows(_ report: DatasetReport) throws(DatasetError) {
        guard report.rowsUsed == 0 else { return }
        let path = sources.map(\.path).joined(separator: ", ")
        guard report.rowsRead > 0 else { throw DatasetError(path: path, .noRows) }
        if let heldOut = options.heldOut, report.rowsOfOtherPart + report.badRowCount == report.rowsRead {
            throw DatasetError(path: path, .emptyPart(heldOut, rowCount: report.rowsRead))
        }
        if let first = report.badRows.first, report.badRowCount == report.rowsRead { throw first }
        throw DatasetError(path: path, .noUsableRows(report: report.description))
    }

    /// The tokens of a prompt and of the response to it, within the length, or nil where the row is dropped.
    func example(
        _ row: DatasetRow,
        _ maximumLength: Int?,
        dropsEmpty: Bool,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> (prompt: [Int], response: [Int], isLearned: [Bool]?)? {
        var (prompt, response, isEmpty, isLearned) = try exampleTokens(row, &report)
        try checkVocabulary(prompt + response, "input_ids", row)
        if dropsEmpty && isEmpty {
            report.responsesEmpty += 1
            return nil
        }
        try requireTokens(response, "response", row)
        guard fits(prompt, maximumLength, &report) else { return nil }
        let length = response.count
        cut(&response, behind: prompt, maximumLength, endsSequence: isLearned == nil, &report)
        if response.count < length, let marks = isLearned?.prefix(response.count) { isLearned = Array(marks) }
        return (prompt, response, isLearned)
    }

    private func exampleTokens(
        _ row: DatasetRow,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> (prompt: [Int], response: [Int], isEmpty: Bool, isLearned: [Bool]?) {
        let response: RowTokenizer.Response
        var isLearned: [Bool]?
        var promptIDs: [Int] = []
        switch try forms.example(of: row) {
        case .tokens(let ids, let promptLength):
            return (Array(ids[..<promptLength]), Array(ids[promptLength...]), false, nil)
        case .wholeText(let text): response = try rowTokenizer.wholeText(text, row)
        case .text(let promptText, let text):
            let prompt = try rowTokenizer.prompt(.text(promptText), row)
            response = try rowTokenizer.response(text, to: prompt, row)
            promptIDs = prompt.ids
        case .messages(let promptMessages, let messages):
            let prompt = try rowTokenizer.prompt(.messages(promptMessages), row)
            response = try rowTokenizer.response(messages, to: prompt, promptMessages, row)
            promptIDs = prompt.ids
        case .conversation(let messages):
            let conversation = try rowTokenizer.conversation(messages, row)
            (promptIDs, response, isLearned) = (conversation.promptIDs, conversation.response, conversation.isLearned)
        }
        if response.isTokenizedApart { report.responsesTokenizedApart += 1 }
        return (promptIDs, response.ids, response.isEmpty, isLearned)
    }

    func pairTokens(
        _ row: DatasetRow,
        _ report: inout DatasetReport
    ) throws(DatasetError) -> (prompt: [Int], chosen: [Int], rejected: [Int]) {
        let prompt: RowTokenizer.Prompt
        let responses: [RowTokenizer.Response]
        switch try forms.pair(of: row) {
        case .tokens(let prompt, let chosen, let rejected):
            try checkVocabulary(prompt, "prompt_ids", row)
            try checkVocabulary(chosen, "chosen_ids", row)
            try checkVocabulary(rejected, "rejected_ids", row)
            return (prompt, chosen, rejected)
        case .text(let promptText, let chosen, let rejected):
            prompt = try rowTokenizer.prompt(.text(promptText), row)
            responses = try [chosen, rejected].map { (text) throws(DatasetError) in
                try rowTokenizer.response(text, to: prompt, row)
            }
        case .messages(let messages, let chosen, let rejected):
            prompt = try rowTokenizer.prompt(.messages(messages), row)
            responses = try [chosen, rejected].map { (response) throws(DatasetError) in
                try rowTokenizer.response(response, to: prompt, messages, row)
            }
        }
        report.responsesTokenizedApart += responses.count(where: \.isTokenizedApart)
        for (response, key) in zip(responses, ["chosen", "rejected"]) {
            try checkVocabulary(response.ids, key, row)
            try requireTokens(response.ids, "\(key) response", row)
        }
        try checkVocabulary(prompt.ids, "prompt", row)
        return (prompt.ids, responses[0].ids, responses[1].ids)
    }

    /// Refuses a part of a row that has become no token at all, for instance an empty text without special tokens around it.
    func requireTokens(_ ids: [Int], _ part: String, _ row: DatasetRow) throws(DatasetError) {
        guard !ids.isEmpty else { throw row.error(.inconsistent("the \(part) has no tokens")) }
    }

    func checkVocabulary(_ ids: [Int], _ key: String, _ row: DatasetRow) throws(DatasetError) {
        guard let size = options.vocabularySize, let id = ids.first(where: { $0 >= size }) else { return }
        throw row.error(.outsideVocabulary(id: id, key: key, vocabularySize: size))
    }

    /// Whether a prompt leaves the room for a response that the reference asks for.
    func fits(_ prompt: [Int], _ maximumLength: Int?, _ report: inout DatasetReport) -> Bool {
        guard let maximumLength, prompt.count >= maximumLength - 2 else { return true }
        report.promptsTooLong += 1
        return false
    }

    func cut(
        _ response: inout [Int],
        behind prompt: [Int],
        _ maximumLength: Int?,
        endsSequence: Bool = true,
        _ report: inout DatasetReport
    ) {
        guard let maximumLength, prompt.count + response.count > maximumLength else { return }
        response = Array(response.prefix(maximumLength - prompt.count))
        if endsSequence, let endOfSequence = rowTokenizer.endOfSequence { response[response.count - 1] = endOfSequence }
        report.responsesCut += 1
    }
}
