import Foundation
import JSONText

/// A judge's verdicts, as files of `model_judgment` hold them.
public struct ArenaHardJudgments: Sendable {
    /// Whose format the files have.
    public let version: ArenaHardVersion
    /// The judgments in the files' order.
    public var rows: [Row]

    /// The two games of one question.
    public struct Row: Sendable {
        /// The question's identifier.
        public var question: String
        /// The model.
        public var model: String
        /// The baseline, where the file names it.
        public var baseline: String?
        /// The judge, where the file names it.
        public var judge: String?
        /// The category, where the file names it.
        public var category: String?
        /// The labels of the games, nil where the judge gave none.
        public var labels: [String?]
        /// File and row, for errors.
        public var place: String
    }

    /// Reads files, or the `.jsonl` files of directories in alphabetical order.
    ///
    /// - Throws: ``EvaluationError`` naming file and row.
    public init(paths: [String]) throws(EvaluationError) {
        var rows: [Row] = []
        var versions: Set<ArenaHardVersion> = []
        for path in try jsonLinesFiles(paths) {
            for (index, row) in try RowFile.read(path).enumerated() {
                let place = "\(path), row \(index + 1)"
                let key = row["uid"] == nil ? "question_id" : "uid"
                versions.insert(key == "uid" ? .v20 : .v01)
                guard let games = row["games"]?.array, games.count == 2 else {
                    throw EvaluationError("\(place): \"games\" must be a list of two")
                }
                rows.append(
                    Row(
                        question: try row.text(key, at: place),
                        model: try row.text("model", at: place),
                        baseline: row["baseline"]?.string,
                        judge: row["judge"]?.string,
                        category: row["category"]?.string,
                        labels: games.map { $0["score"]?.string },
                        place: place
                    )
                )
            }
        }
        guard let version = versions.first else {
            throw EvaluationError("\(paths.joined(separator: ", ")): there are no judgments")
        }
        guard versions.count == 1 else {
            throw EvaluationError(
                "\(paths.joined(separator: ", ")): judgments of v0.1 and of v2.0 cannot be scored together"
            )
        }
        (self.version, self.rows) = (version, rows)
    }

    /// The categories, in alphabetical order.
    public var categories: [String] { Set(rows.compactMap(\.category)).sorted() }
}

/// The style of answers, by model and question.
public struct StyleTable: Sendable {
    private var counts: [String: [String: StyleCounts]] = [:]

    /// Reads answer files, or the `.jsonl` files of directories.
    ///
    /// Counts stand in `metadata` (v2.0) or `conv_metadata` (v0.1); where an answer has only its text, its markdown is counted
    /// here, and its tokens are those of `token_len` or of the tokenizer.
    ///
    /// - Parameter tokens: counts the tokens of a text; nil where no tokenizer was given.
    /// - Throws: ``EvaluationError`` naming file and row.
    public init(answers paths: [String], tokens: ((String) -> Int)? = nil) throws(EvaluationError) {
        for path in try jsonLinesFiles(paths) {
            for (index, row) in try RowFile.read(path).enumerated() {
                let answer = try ArenaHardAnswer(row, at: "\(path), row \(index + 1)")
                counts[answer.model, default: [:]][answer.question] = try answer.style(tokens: tokens)
            }
        }
    }

    /// Reads a file of counts by model and question.
    ///
    /// - Throws: ``EvaluationError`` naming what is missing.
    public init(metadata path: String) throws(EvaluationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        let file: JSON
        do { file = try JSON(parsing: data) } catch { throw EvaluationError("\(path), \(error)") }
        for (model, questions) in file.object?.members ?? [] {
            for (question, style) in questions.object?.members ?? [] {
                guard let style = StyleCounts(style) else {
                    throw EvaluationError("\(path): the counts of \(model) for question \(question) are not complete")
                }
                counts[model, default: [:]][question] = style
            }
        }
    }

    /// The counts of an answer.
    ///
    /// - Throws: ``EvaluationError`` where there is no such answer.
    func counts(_ model: String, _ question: String) throws(EvaluationError) -> StyleCounts {
        guard let answers = counts[model] else {
            throw EvaluationError("there are no answers of \(model); style control needs them")
        }
        guard let found = answers[question] else {
            throw EvaluationError("\(model) has no answer to question \(question)")
        }
        return found
    }
}

/// One answer of `model_answer`, of either version.
public struct ArenaHardAnswer: Sendable {
    /// The question's identifier.
    public let question: String
    /// The model.
    public let model: String
    /// The answer, where the file holds it.
    public let text: String?
    private let metadata: JSON?
    private let tokens: Int?
    private let place: String

    /// Reads a row.
    ///
    /// - Throws: ``EvaluationError`` naming what is missing.
    public init(_ row: JSONObject, at place: String) throws(EvaluationError) {
        let isNew = row["uid"] != nil
        question = try row.text(isNew ? "uid" : "question_id", at: place)
        model = try row.text(isNew ? "model" : "model_id", at: place)
        metadata = row["metadata"] ?? row["conv_metadata"]
        let turn = row["choices"]?[0]?["turns"]?[0]
        let content = row["messages"]?.array?.last?["content"]
        text = turn?["content"]?.string ?? content?["answer"]?.string ?? content?.string
        tokens = metadata?["token_len"]?.integer ?? turn?["token_len"]?.integer
        self.place = place
    }

    func style(tokens count: ((String) -> Int)?) throws(EvaluationError) -> StyleCounts {
        if let counted = StyleCounts(metadata) { return counted }
        guard let text else { throw EvaluationError("\(place): there are neither counts nor a text to count") }
        guard let tokens = tokens ?? count?(text) else {
            throw EvaluationError(
                "\(place): there is no \"token_len\"; name the tokenizer to count with by --tokenizer DIRECTORY"
            )
        }
        return StyleCounts(quirkilyCounting: text, tokens: tokens)
    }
}

/// The files themselves, and those in directories.
func jsonLinesFiles(_ paths: [String]) throws(EvaluationError) -> [String] {
    var files: [String] = []
    for path in paths {
        var isDirectory = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            files.append(path)
            continue
        }
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        let lines = found.filter { $0.hasSuffix(".jsonl") }.sorted().map { path + "/" + $0 }
        guard !lines.isEmpty else { throw EvaluationError("\(path): there are no .jsonl files in it") }
        files += lines
    }
    return files
}
