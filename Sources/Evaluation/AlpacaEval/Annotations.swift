import Foundation
import JSONText

/// A judge's preferences between a baseline's and a model's answers, as AlpacaEval's `annotations.json` holds them.
public struct Annotations: Sendable {
    /// The annotations in the file's order.
    public var rows: [Row]
    /// Where they come from, for errors.
    let source: String

    /// One preference.
    public struct Row: Sendable {
        /// The instruction.
        public var instruction: String
        /// The baseline's answer; nil where a file leaves it out.
        public var baselineOutput: String?
        /// The model's answer.
        public var output: String
        /// From 1, the baseline is better, to 2, the model is; nil where the judge gave none.
        public var preference: Double?
        /// Everything else that the row holds, and these too, in the file's order.
        public var json: JSONObject
    }

    /// Annotations made here.
    public init(_ rows: [Row], source: String) {
        self.rows = rows
        self.source = source
    }

    /// Reads a file.
    ///
    /// - Throws: ``EvaluationError`` naming file and row.
    public init(path: String) throws(EvaluationError) {
        var rows: [Row] = []
        for (index, row) in try RowFile.read(path).enumerated() {
            rows.append(try Row(row, at: "\(path), row \(index + 1)"))
        }
        guard !rows.isEmpty else { throw EvaluationError("\(path): there are no annotations in it") }
        self.init(rows, source: path)
    }

    /// The name of model or baseline, where the rows agree on one: of the key `generator_2` or `generator_1`.
    ///
    /// - Throws: ``EvaluationError`` where the model's rows do not agree.
    public func generator(_ key: String) throws(EvaluationError) -> String? {
        let names = Set(rows.compactMap { $0.json[key]?.string })
        guard names.count <= 1 || key == "generator_1" else {
            throw EvaluationError("\(source) holds annotations of \(names.count) models; \"\(key)\" must be one")
        }
        return rows.first?.json[key]?.string
    }

    /// Adds the baseline's answers where the rows lack them, by instruction.
    ///
    /// - Throws: ``EvaluationError`` where the baseline has no answer, or several different ones.
    public mutating func addBaseline(_ baseline: ModelOutputs) throws(EvaluationError) {
        let answers = Dictionary(grouping: baseline.rows) { TextKey($0.instruction) }
        for index in rows.indices where rows[index].baselineOutput == nil {
            let found = answers[TextKey(rows[index].instruction)] ?? []
            guard let first = found.first else {
                throw EvaluationError("\(source), row \(index + 1): \(baseline.source) does not have its instruction")
            }
            guard Set(found.map { TextKey($0.output) }).count == 1 else {
                throw EvaluationError(
                    "\(source), row \(index + 1): \(baseline.source) has \(found.count) different answers to its instruction"
                )
            }
            rows[index].baselineOutput = first.output
        }
    }

    /// The rows of the length-controlled fit, or nil where baseline answers are missing.
    ///
    /// - Throws: ``EvaluationError`` where a preference is none, or the difficulties do not cover the rows.
    public func lengthControlRows(difficulty: [Double]) throws(EvaluationError) -> LengthControl.Rows? {
        let baselines = rows.compactMap(\.baselineOutput)
        guard baselines.count == rows.count else { return nil }
        for (index, row) in rows.enumerated() {
            guard let preference = row.preference, preference != 0, !WinRate.isPreference(preference) else { continue }
            throw EvaluationError(
                "\(source), row \(index + 1): the preference \(preference) is not one from 1 to 2; length control cannot use it"
            )
        }
        return try LengthControl.Rows(
            preferences: rows.map(\.preference),
            baselineLengths: baselines.map(\.unicodeScalars.count),
            modelLengths: rows.map(\.output.unicodeScalars.count),
            difficulty: difficulty
        )
    }
}

extension Annotations.Row {
    /// Reads a row; a preference that is missing, null or not a number is one that the judge did not give.
    init(_ row: JSONObject, at place: String) throws(EvaluationError) {
        if let preference = row["preference"], preference.number == nil, !preference.isNull {
            throw EvaluationError("\(place): \"preference\" must be a number or null, found \(preference.kind)")
        }
        let preference = row["preference"]?.number
        self.init(
            instruction: try row.text("instruction", at: place),
            baselineOutput: row["output_1"] == nil ? nil : try row.text("output_1", at: place),
            output: try row.text("output_2", at: place),
            preference: preference?.isNaN == true ? nil : preference,
            json: row
        )
    }
}
