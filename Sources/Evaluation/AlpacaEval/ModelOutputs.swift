import Foundation
import JSONText

/// A model's answers to the instructions of AlpacaEval, as its `model_outputs.json` holds them.
public struct ModelOutputs: Sendable {
    /// The answers in the file's order.
    public var rows: [Row]
    /// Where they come from, for errors.
    let source: String

    /// One answer.
    public struct Row: Sendable, Equatable {
        /// The instruction.
        public var instruction: String
        /// The answer.
        public var output: String
        /// The model's name.
        public var generator: String?
        /// The part of the evaluation set.
        public var dataset: String?

        /// An answer.
        public init(instruction: String, output: String, generator: String?, dataset: String?) {
            self.instruction = instruction
            self.output = output
            self.generator = generator
            self.dataset = dataset
        }

        /// The row as the file holds it.
        public var json: JSONObject {
            var object = JSONObject()
            object["dataset"] = dataset.map { .string($0) }
            object["instruction"] = .string(instruction)
            object["output"] = .string(output)
            object["generator"] = generator.map { .string($0) }
            return object
        }
    }

    /// Answers made here.
    public init(_ rows: [Row], source: String) {
        self.rows = rows
        self.source = source
    }

    /// Reads a JSON array or lines of `{"instruction", "output", "generator"?, "dataset"?}`.
    ///
    /// - Throws: ``EvaluationError`` naming file and row.
    public init(path: String) throws(EvaluationError) {
        var rows: [Row] = []
        for (index, row) in try RowFile.read(path).enumerated() {
            let place = "\(path), row \(index + 1)"
            rows.append(
                Row(
                    instruction: try row.text("instruction", at: place),
                    output: try row.text("output", at: place),
                    generator: row["generator"]?.string,
                    dataset: row["dataset"]?.string
                )
            )
        }
        guard !rows.isEmpty else { throw EvaluationError("\(path): there are no answers in it") }
        self.init(rows, source: path)
    }

    /// The model's name, where the rows agree on one.
    ///
    /// - Throws: ``EvaluationError`` where they do not.
    public func generator() throws(EvaluationError) -> String? {
        let names = Set(rows.compactMap { $0.generator })
        guard names.count <= 1 else {
            throw EvaluationError(
                "\(source) holds answers of \(names.count) models (\(names.sorted().prefix(3).joined(separator: ", "))); one file is one model's"
            )
        }
        return names.first
    }

    /// The mean number of Unicode scalars of an answer, without its fraction.
    public var averageLength: Int {
        rows.map(\.output.unicodeScalars.count).reduce(0, +) / rows.count
    }

    /// The pairs of baseline and model that have an instruction in common, in the baseline's order.
    ///
    /// An instruction that occurs twice gives every combination; equal pairs count once.
    public static func pairs(baseline: ModelOutputs, model: ModelOutputs) -> [(baseline: Row, model: Row)] {
        let answers = Dictionary(grouping: model.rows) { TextKey($0.instruction) }
        var seen: Set<TextKey> = []
        return baseline.rows.flatMap { first in
            (answers[TextKey(first.instruction)] ?? []).compactMap { second in
                let names = (first.generator ?? "", second.generator ?? "")
                let key = TextKey(first.instruction, first.output, second.output, names.0, names.1)
                return seen.insert(key).inserted ? (first, second) : nil
            }
        }
    }
}
