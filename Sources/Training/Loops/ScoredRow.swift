import Configuration
import Datasets
import JSONText
import Models
import Tokenizers

/// One row as ids, with how many of them are given.
struct ScoredRow {
    /// The row as it was read.
    let object: JSONObject
    /// The ids of prompt and response.
    let ids: [Int]
    /// The number of ids that are given, at least one.
    let promptLength: Int
    /// Which of the ids behind the prompt are the assistant's, where not all of them are.
    var isLearned: [Bool]?

    var batchRow: ResponseBatch.Row {
        .init(
            prompt: Array(ids.prefix(promptLength)),
            response: Array(ids.dropFirst(promptLength)),
            isScored: isLearned
        )
    }
}

/// Makes ids of the rows to be scored: the ids that were sampled where the row holds them, else those that training would see.
struct ScoredRowReader {
    private let tokenizer: Tokenizer?
    private let vocabularySize: Int?
    private let reader: DatasetReader

    /// - Parameter vocabularySize: the number of ids that the model has; nil where no model is there to be asked.
    init(_ data: DataSettings, tokenizer: Tokenizer?, vocabularySize: Int?) throws {
        self.tokenizer = tokenizer
        self.vocabularySize = vocabularySize
        reader = try data.reader([], tokenizer: tokenizer, vocabularySize: vocabularySize, seed: 0)
    }

    func read(_ object: JSONObject, at location: RowLocation) throws -> ScoredRow {
        do {
            let (ids, promptLength, isLearned) = try tokens(object, location)
            guard !ids.isEmpty else { throw TrainingError("the row has no tokens") }
            if let wrong = ids.first(where: { $0 < 0 || $0 >= vocabularySize ?? .max }) {
                throw TrainingError(
                    "token id \(wrong) is "
                        + (vocabularySize.map { "outside the model's vocabulary of \($0)" } ?? "no token's")
                )
            }
            // Of a text without prompt the first id is given: it has no mark.
            let marks = isLearned.map { Array($0.suffix(ids.count - max(1, promptLength))) }
            return ScoredRow(object: object, ids: ids, promptLength: max(1, promptLength), isLearned: marks)
        } catch let error as TrainingError {
            throw TrainingError("\(location): \(error)")
        }
    }

    private func tokens(
        _ object: JSONObject,
        _ location: RowLocation
    ) throws -> (ids: [Int], promptLength: Int, isLearned: [Bool]?) {
        if object["completion_ids"] != nil {
            let prompt =
                object["prompt_ids"] != nil
                ? try ids(object, "prompt_ids") : try reader.prompt(object, at: location).ids
            return (prompt + (try ids(object, "completion_ids")), prompt.count, nil)
        }
        if object["ids"] != nil {
            let length = object["prompt_length"]?.integer ?? 1
            let ids = try ids(object, "ids")
            guard (0...ids.count).contains(length) else {
                throw TrainingError("prompt_length \(length) does not fit \(ids.count) ids")
            }
            return (ids, length, nil)
        }
        let isConversation = ["messages", "context_messages", "prompt"].contains { object[$0]?.array != nil }
        if isConversation || object["input_ids"] != nil {
            let example = try reader.example(withAnswer(object), at: location)
            return (example.ids, example.promptLength, example.isLearned)
        }
        if let completion = object["completion"]?.string {
            let (ids, promptLength) = try texts(object, completion)
            return (ids, promptLength, nil)
        }
        guard let text = object["text"]?.string else {
            throw TrainingError(
                "a row has \"prompt_ids\" with \"completion_ids\", \"ids\", \"messages\", \"text\" or \"prompt\" with "
                    + "\"completion\""
            )
        }
        return (try encode(text), 1, nil)
    }

    /// A conversation whose answer stands beside it, as one.
    private func withAnswer(_ object: JSONObject) -> JSONObject {
        guard let messages = (object["messages"] ?? object["context_messages"])?.array,
            messages.last?["role"]?.string != "assistant", let completion = object["completion"]?.string
        else { return object }
        var whole = object
        whole["messages"] = .array(messages + [["role": "assistant", "content": .string(completion)]])
        return whole
    }

    /// Tokens of the whole text, unless one of them lies across the boundary.
    private func texts(_ object: JSONObject, _ completion: String) throws -> (ids: [Int], promptLength: Int) {
        let ids: [Int]
        if object["prompt_ids"] != nil {
            ids = try self.ids(object, "prompt_ids")
        } else {
            guard let text = object["prompt"]?.string else {
                throw TrainingError("a completion needs a \"prompt\" in text or \"prompt_ids\"")
            }
            ids = try encode(text)
            let whole = try encode(text + completion)
            if whole.starts(with: ids) { return (whole, ids.count) }
        }
        return (ids + (try encode(completion, addSpecialTokens: false)), ids.count)
    }

    private func ids(_ object: JSONObject, _ key: String) throws -> [Int] {
        guard let list = object[key]?.array, let ids = Optional(list.compactMap(\.integer)), ids.count == list.count
        else {
            throw TrainingError("\"\(key)\" must be a list of token ids")
        }
        return ids
    }

    private func encode(_ text: String, addSpecialTokens: Bool = true) throws -> [Int] {
        guard let tokenizer else {
            throw TrainingError("a row in text needs a tokenizer, and the model's directory has none")
        }
        return tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
    }
}
