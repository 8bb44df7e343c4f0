import Foundation
import JSONText

/// The questions of Arena-Hard, as `question.jsonl` holds them.
public struct ArenaHardQuestions: Sendable {
    /// Whose format the file has.
    public let version: ArenaHardVersion
    /// The questions in the file's order.
    public let rows: [Row]

    /// One question.
    public struct Row: Sendable {
        /// Its identifier.
        public let id: String
        /// Its category, by which v2.0 chooses baseline and system prompt.
        public let category: String
        /// What is asked.
        public let prompt: String
    }

    /// Reads a file: `{"question_id", "turns": [{"content"}]}` a line for v0.1, `{"uid", "category", "prompt"}` for v2.0.
    ///
    /// - Throws: ``EvaluationError`` naming the row; identifiers must differ.
    public init(path: String) throws(EvaluationError) {
        let objects = try RowFile.read(path)
        guard let first = objects.first else { throw EvaluationError("\(path): there are no questions in it") }
        version = first["uid"] == nil ? .v01 : .v20
        var rows: [Row] = []
        var seen: Set<String> = []
        for (index, row) in objects.enumerated() {
            let place = "\(path), row \(index + 1)"
            let id = try row.text(version == .v20 ? "uid" : "question_id", at: place)
            guard seen.insert(id).inserted else { throw EvaluationError("\(place): the question \(id) is there twice") }
            guard let prompt = version == .v20 ? row["prompt"]?.string : row["turns"]?[0]?["content"]?.string else {
                throw EvaluationError("\(place): there is no text of the question")
            }
            rows.append(Row(id: id, category: row["category"]?.string ?? "arena-hard-v0.1", prompt: prompt))
        }
        self.rows = rows
    }

    /// A row of `model_answer` for a model's answer, with the members of the original in its order.
    ///
    /// - Parameters:
    ///   - style: the answer's counts; without them the originals can judge the answer, but v0.1's cannot print a table and
    ///     v2.0's cannot control for style.
    ///   - time: when the model answered.
    public func answer(_ row: Row, model: String, text: String, style: StyleCounts?, time: Date) -> JSONObject {
        var object = JSONObject()
        let timeStamp = JSON.number(time.timeIntervalSince1970)
        switch version {
        case .v01:
            object["question_id"] = .string(row.id)
            object["answer_id"] = .string(row.id + "-" + model)
            object["model_id"] = .string(model)
            var turn = JSONObject()
            turn["content"] = .string(text)
            turn["token_len"] = style.map { .integer($0.tokens) }
            object["choices"] = [["index": 0, "turns": .array([.object(turn)])]]
            object["tstamp"] = timeStamp
            object["conv_metadata"] = style?.json
        case .v20:
            object["uid"] = .string(row.id)
            object["ans_id"] = .string(row.id + "-" + model)
            object["model"] = .string(model)
            object["messages"] = [
                ["role": "user", "content": .string(row.prompt)],
                ["role": "assistant", "content": ["answer": .string(text)]],
            ]
            object["tstamp"] = timeStamp
            object["metadata"] = style?.json
        }
        return object
    }
}
