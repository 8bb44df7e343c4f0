import JSONText

/// What became of the rows that were read.
public struct DatasetReport: Sendable, Equatable, CustomStringConvertible {
    /// How many of the bad rows are kept to be shown.
    public static let shownBadRowCount = 5

    /// The rows of all files.
    public internal(set) var rowsRead = 0
    /// The rows that became tokens and are used.
    public internal(set) var rowsUsed = 0
    /// The rows whose prompt leaves no room for a response.
    public internal(set) var promptsTooLong = 0
    /// The rows that were left out because they have nothing to learn.
    public internal(set) var responsesEmpty = 0
    /// The responses that were cut at their end.
    public internal(set) var responsesCut = 0
    /// The responses that had to be tokenised apart from their prompt.
    public internal(set) var responsesTokenizedApart = 0
    /// The rows that are wrong and were passed over.
    public internal(set) var badRowCount = 0
    /// The first of the bad rows.
    public internal(set) var badRows: [DatasetError] = []
    /// The rows that a mixture's weights leave out.
    public internal(set) var rowsOutsideMixture = 0

    /// The rows of the other part, where a share is held out.
    public internal(set) var rowsOfOtherPart = 0
    /// Columns that no row can hold, or not what they have in some row, and that nothing needs.
    public internal(set) var columnsLeftOut: Set<String> = []

    /// Adds the counts that come from the making of rows.
    mutating func add(_ other: DatasetReport) {
        columnsLeftOut.formUnion(other.columnsLeftOut)
        rowsOfOtherPart += other.rowsOfOtherPart
        promptsTooLong += other.promptsTooLong
        responsesEmpty += other.responsesEmpty
        responsesCut += other.responsesCut
        responsesTokenizedApart += other.responsesTokenizedApart
    }

    mutating func addBadRow(_ error: DatasetError) {
        badRowCount += 1
        if badRows.count < Self.shownBadRowCount { badRows.append(error) }
    }

    /// The counts in one line; those that are 0 go without saying.
    public var description: String {
        let counts = [
            (rowsOfOtherPart, "in the other part"),
            (promptsTooLong, "dropped for a prompt that is too long"),
            (responsesEmpty, "dropped for an empty response"),
            (badRowCount, "bad"), (rowsOutsideMixture, "left out by the mixture"),
            (responsesCut, "responses cut at the end"), (responsesTokenizedApart, "responses tokenised apart"),
        ]
        var parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let columns = columnsLeftOut.sorted().map(quoted)
        if !columns.isEmpty {
            parts.append("without \(columns.joined(separator: ", ")), whose type or values a row cannot hold")
        }
        return (["\(rowsUsed) of \(rowsRead) rows used"] + parts).joined(separator: ", ")
    }
}

extension DatasetReport {
    private static var counts: [(key: String, path: WritableKeyPath<DatasetReport, Int>)] {
        [
            ("rows_read", \.rowsRead), ("rows_used", \.rowsUsed), ("prompts_too_long", \.promptsTooLong),
            ("responses_empty", \.responsesEmpty), ("responses_cut", \.responsesCut),
            ("responses_tokenized_apart", \.responsesTokenizedApart), ("bad_rows", \.badRowCount),
            ("rows_outside_mixture", \.rowsOutsideMixture), ("rows_of_other_part", \.rowsOfOtherPart),
        ]
    }

    /// The counts; the bad rows themselves, and the columns left out, have been shown when they were read.
    var json: JSON {
        var object = JSONObject()
        for (key, path) in Self.counts { object[key] = .integer(self[keyPath: path]) }
        return .object(object)
    }

    /// - Returns: nil where a count is not there.
    init?(json: JSON) {
        for (key, path) in Self.counts {
            guard let count = json[key]?.integer, count >= 0 else { return nil }
            self[keyPath: path] = count
        }
    }
}
