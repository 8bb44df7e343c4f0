import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Objectives
import Tokenizers
import Torch

/// Scores rows of files or of standard input, in order: log-probabilities, rewards or token rewards.
///
/// A line holds what its row held, and what was computed beside it.
public func score(_ configuration: ScoreConfiguration) throws {
    let scorer = try RowScorer(configuration)
    let output = try LineOutput(path: configuration.output)
    var pending: [ScoredRow] = []
    var tokens = 0
    func flush() throws {
        let rows = pending
        (pending, tokens) = ([], 0)
        for line in scorer.lines(rows) { try output.write(line) }
    }
    do {
        try RowStream(paths: configuration.data.sources.map(\.path)).forEach { object, location in
            let row = try scorer.reader.read(object, at: location)
            if tokens + row.ids.count > configuration.microBatchTokens, !pending.isEmpty { try flush() }
            pending.append(row)
            tokens += row.ids.count
        }
    } catch {
        // Whoever reads standard output gets the answers to all rows before the bad one.
        try flush()
        throw error
    }
    try flush()
    try output.finish()
}

private struct RowScorer {
    private enum Models {
        case language(LanguageModel)
        case reward(ScoreModel)
        case pair(dpo: LanguageModel, reference: LanguageModel)
    }

    private let configuration: ScoreConfiguration
    private let models: Models
    let reader: ScoredRowReader

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
        let size = shape.vocabularySize
        let tokenizer = try loadTokenizer(configuration.tokenizerDirectory, vocabularySize: size)
        reader = try ScoredRowReader(configuration.data, tokenizer: tokenizer, vocabularySize: size)
    }

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
            var object = rows[index].object
            object["score"] = .number(Double(values[values.endIndex - 1]))
            if !configuration.leavesOutValues { object["values"] = .array(values.map { .number(Double($0)) }) }
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
            let row = rows[index].batchRow
            var paid = rewards[ragged.range(index)].makeIterator()
            let isPaid = row.isScored ?? row.response.map { _ in true }
            let given = [JSON](repeating: .null, count: rows[index].promptLength)
            object["token_rewards"] = .array(
                given + isPaid.map { $0 ? paid.next().map { .number(Double($0)) } ?? .null : .null }
            )
            return line(object)
        }
    }

    private func object(_ row: ScoredRow) -> JSONObject {
        var object = row.object
        object["ids"] = .array(row.ids.map { .integer($0) })
        return object
    }

    private func line(_ object: JSONObject) -> String { JSON.object(object).serialized() + "\n" }
}
