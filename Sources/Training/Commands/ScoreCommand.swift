import Configuration
import Foundation
import JSONText
import Models
import Objectives
import Tokenizers
import Torch

/// Scores rows of standard input to standard output, in order: log-probabilities, rewards or token rewards.
public func score(_ configuration: ScoreConfiguration) throws {
    let scorer = try RowScorer(configuration)
    var pending: [ScoredRow] = []
    var tokens = 0
    var number = 0
    func flush() throws {
        for line in scorer.lines(pending) { try writeToStandardOutput(line) }
        pending = []
        tokens = 0
    }
    while let text = readLine(strippingNewline: true) {
        number += 1
        if text.allSatisfy(\.isWhitespace) { continue }
        let row: ScoredRow
        do {
            row = try scorer.read(text)
        } catch {
            try flush()
            throw TrainingError("standard input, line \(number): \(error)")
        }
        if tokens + row.ids.count > configuration.microBatchTokens, !pending.isEmpty { try flush() }
        pending.append(row)
        tokens += row.ids.count
    }
    try flush()
}

/// One row as ids, with how many of them are given.
private struct ScoredRow {
    var ids: [Int]
    var promptLength: Int

    var batchRow: ResponseBatch.Row {
        .init(prompt: Array(ids.prefix(promptLength)), response: Array(ids.dropFirst(promptLength)))
    }
}

private struct RowScorer {
    private enum Models {
        case language(LanguageModel)
        case reward(ScoreModel)
        case pair(dpo: LanguageModel, reference: LanguageModel)
    }

    private let configuration: ScoreConfiguration
    private let models: Models
    private let tokenizer: Tokenizer?
    private let vocabularySize: Int

    init(_ configuration: ScoreConfiguration) throws {
        self.configuration = configuration
        let device = try chosenDevice(configuration.compute)
        let precision = configuration.compute.precision.dtype
        func language(_ path: String) throws -> LanguageModel {
            try LanguageModel.load(URL(filePath: path), .frozen(precision, on: device), precision: precision)
        }
        let shape: ModelConfiguration
        switch configuration.quantity {
        case .logProbabilities(let path):
            let model = try language(path)
            (models, shape) = (.language(model), model.configuration)
        case .rewards(let path):
            let model = try ScoreModel.load(
                URL(filePath: path),
                .frozen(precision, on: device),
                precision: precision
            )
            (models, shape) = (.reward(model), model.configuration)
        case .tokenRewards(let path, let referencePath):
            let (model, reference) = (try language(path), try language(referencePath))
            try checkVocabulary(
                of: referencePath,
                reference.configuration,
                role: "reference model",
                matches: model.configuration,
                nil
            )
            (models, shape) = (.pair(dpo: model, reference: reference), model.configuration)
        }
        vocabularySize = shape.vocabularySize
        tokenizer = try loadTokenizer(configuration.tokenizerDirectory, vocabularySize: vocabularySize)
    }

    // Reading.

    func read(_ text: String) throws -> ScoredRow {
        let json = try JSON(parsing: text)
        guard let object = json.object else { throw TrainingError("a row is an object, found \(json.kind)") }
        var row = try tokens(object)
        guard !row.ids.isEmpty else { throw TrainingError("the row has no tokens") }
        if let wrong = row.ids.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw TrainingError("token id \(wrong) is outside the model's vocabulary of \(vocabularySize)")
        }
        row.promptLength = max(1, row.promptLength)
        return row
    }

    private func tokens(_ object: JSONObject) throws -> ScoredRow {
        if object["ids"] != nil {
            let length = object["prompt_length"]?.integer ?? 1
            let ids = try ids(object, "ids")
            guard (0...ids.count).contains(length) else {
                throw TrainingError("prompt_length \(length) does not fit \(ids.count) ids")
            }
            return ScoredRow(ids: ids, promptLength: length)
        }
        if let text = object["text"]?.string { return ScoredRow(ids: try encode(text), promptLength: 1) }
        guard object["completion_ids"] != nil || object["completion"]?.string != nil else {
            throw TrainingError("a row has \"ids\", \"text\" or \"prompt\" with \"completion\"")
        }
        let prompt = object["prompt_ids"] != nil ? try ids(object, "prompt_ids") : try encode(promptText(object))
        if object["completion_ids"] != nil {
            return ScoredRow(ids: prompt + (try ids(object, "completion_ids")), promptLength: prompt.count)
        }
        let completion = object["completion"]?.string ?? ""
        if let text = object["prompt"]?.string {
            // Tokens of the whole text, unless one of them lies across the boundary.
            let whole = try encode(text + completion)
            if whole.starts(with: prompt) { return ScoredRow(ids: whole, promptLength: prompt.count) }
        }
        return ScoredRow(
            ids: prompt + (try encode(completion, addSpecialTokens: false)),
            promptLength: prompt.count
        )
    }

    private func promptText(_ object: JSONObject) throws -> String {
        guard let text = object["prompt"]?.string else {
            throw TrainingError("a completion needs a \"prompt\" in text or \"prompt_ids\"")
        }
        return text
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
            throw TrainingError("a row in text needs a tokenizer, and the model's directory has no tokenizer.json")
        }
        return tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
    }

    // Scoring.

    func lines(_ rows: [ScoredRow]) -> [String] {
        guard !rows.isEmpty else { return [] }
        return withoutGradients {
            switch models {
            case .language(let model): logProbabilities(rows, model)
            case .reward(let model): rewards(rows, model)
            case .pair(let dpo, let reference): tokenRewards(rows, dpo, reference)
            }
        }
    }

    private func logProbabilities(_ rows: [ScoredRow], _ model: LanguageModel) -> [String] {
        let sequences = rows.map(\.ids)
        let found = model.sequenceLogProbabilities(sequences)
        let batch = TokenBatch(sequences)
        let top = configuration.topLogits > 0 ? model.topLogits(batch, count: configuration.topLogits) : nil
        let topLogits = top?.logits.floats ?? []
        let topIDs = top?.ids.integers ?? []
        let width = top?.ids.size(1) ?? 0
        return rows.indices.map { index in
            var object = self.object(rows[index])
            object["log_probabilities"] = .array([.null] + found[index].map { .number(Double($0)) })
            if width > 0 {
                object["top_logits"] = .array(
                    batch.segments[index].range.map { position in
                        .array(
                            (position * width..<(position + 1) * width).map {
                                ["id": .integer(topIDs[$0]), "logit": .number(Double(topLogits[$0]))]
                            }
                        )
                    }
                )
            }
            return line(object)
        }
    }

    private func rewards(_ rows: [ScoredRow], _ model: ScoreModel) -> [String] {
        let batch = TokenBatch(rows.map(\.ids))
        let scores = model.tokenScores(batch).floats
        return rows.indices.map { index in
            let values = scores[batch.segments[index].range]
            var object = JSONObject()
            object["score"] = .number(Double(values[values.endIndex - 1]))
            object["values"] = .array(values.map { .number(Double($0)) })
            return line(object)
        }
    }

    private func tokenRewards(_ rows: [ScoredRow], _ dpo: LanguageModel, _ reference: LanguageModel) -> [String] {
        let batch = ResponseBatch(rows.map(\.batchRow))
        let rewards = Objectives.tokenRewards(
            dpo: dpo.logProbabilities(batch),
            reference: reference.logProbabilities(batch),
            scale: configuration.tokenRewardScale,
            clip: configuration.tokenRewardClip
        ).rewards.floats
        let ragged = RaggedRows(lengths: batch.lengths)
        return rows.indices.map { index in
            var object = self.object(rows[index])
            let given = [JSON](repeating: .null, count: rows[index].promptLength)
            object["token_rewards"] = .array(given + rewards[ragged.range(index)].map { .number(Double($0)) })
            return line(object)
        }
    }

    private func object(_ row: ScoredRow) -> JSONObject {
        var object = JSONObject()
        object["ids"] = .array(row.ids.map { .integer($0) })
        return object
    }

    private func line(_ object: JSONObject) -> String { JSON.object(object).serialized() + "\n" }
}
