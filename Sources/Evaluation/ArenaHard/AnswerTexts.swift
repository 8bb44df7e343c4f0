/// The texts of answers, by model and question.
public struct AnswerTexts: Sendable {
    private var texts: [String: [String: String]] = [:]

    /// Reads answer files, or the `.jsonl` files of directories.
    ///
    /// - Throws: ``EvaluationError`` naming file and row.
    public init(_ paths: [String]) throws(EvaluationError) {
        for path in try jsonLinesFiles(paths) {
            for (index, row) in try RowFile.read(path).enumerated() {
                let answer = try ArenaHardAnswer(row, at: "\(path), row \(index + 1)")
                texts[answer.model, default: [:]][answer.question] = answer.text
            }
        }
    }

    /// The text of an answer.
    ///
    /// - Throws: ``EvaluationError`` where there is none.
    public func text(_ model: String, _ question: String) throws(EvaluationError) -> String {
        guard let answers = texts[model] else { throw EvaluationError("--answers has no answers of \(model)") }
        guard let text = answers[question] else {
            throw EvaluationError("--answers has no text of \(model) for question \(question)")
        }
        return text
    }
}

extension ArenaHardVersion {
    /// The baseline that scores are relative to; v2.0's of the category `hard_prompt`.
    public var defaultBaseline: String { self == .v01 ? "gpt-4-0314" : "o3-mini-2025-01-31" }
    /// The judge.
    public var defaultJudge: String { self == .v01 ? "gpt-4-1106-preview" : "gpt-4.1" }
}
