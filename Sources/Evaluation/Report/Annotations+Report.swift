extension Annotations {
    /// The mean number of Unicode scalars of the model's answers, without its fraction.
    public var averageLength: Int { rows.map(\.output.unicodeScalars.count).reduce(0, +) / rows.count }

    /// The page of these annotations, with a table whose first line names its columns.
    public func report(title: String, caveats: [String], table: [[String]]) -> EvaluationReport {
        let lengths = rows.map { ($0.baselineOutput?.unicodeScalars.count, $0.output.unicodeScalars.count) }
        return EvaluationReport(
            title: title,
            caveats: caveats,
            columns: table.first ?? [],
            rows: Array(table.dropFirst()),
            scatter: EvaluationReport.scatter(
                preferences: rows.map(\.preference),
                lengthDifferences: lengths.map { $1 - ($0 ?? $1) }
            ),
            questions: rows.indices.map { index in
                let preference = rows[index].preference.flatMap { $0 == 0 ? 1.5 : $0 }
                let text = rows[index].instruction
                return EvaluationReport.Question(
                    text: String(text.prefix(200)) + (text.count > 200 ? "…" : ""),
                    outcome: preference.map { $0 - 1 },
                    detail: "\(lengths[index].1) characters" + (lengths[index].0.map { " against \($0)" } ?? "")
                )
            }
        )
    }
}
