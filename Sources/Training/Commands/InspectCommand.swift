import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Tokenizers

/// Makes tokens of rows as training does, asks the models about them, and hands them out one by one.
///
/// - Throws: an error where models do not belong together, or a row is bad and bad rows are not skipped.
public func inspect(_ configuration: InspectConfiguration, _ take: (InspectedRow) throws -> Void) throws {
    let inspector = try RowInspector(configuration)
    var number = 0
    var shown = 0
    do {
        try RowStream(paths: configuration.data.sources.map(\.path), for: inspector.reader).forEach {
            object,
            location in
            number += 1
            guard number >= configuration.firstRow else { return }
            guard shown < configuration.rowCount else { throw EndOfReading() }
            do {
                try take(inspector.inspected(object, number: number, at: location))
                shown += 1
            } catch  where configuration.data.skipBadRows && (error is DatasetError || error is TrainingError) {
                note("skipped: \(error)")
            }
        }
    } catch is EndOfReading {
        return
    }
    guard shown == 0 else { return }
    let source = configuration.data.sources.map(\.path).joined(separator: ", ")
    throw TrainingError(
        "\(source.isEmpty ? "standard input" : source): "
            + (number < configuration.firstRow
                ? "there is no row \(configuration.firstRow), only \(number)" : "no row can be shown")
    )
}

/// No further row is wanted.
private struct EndOfReading: Error {}

private struct RowInspector {
    private let configuration: InspectConfiguration
    private let tokenizer: Tokenizer?
    let reader: DatasetReader
    private let sampleReader: ScoredRowReader
    private let models: InspectionModels

    init(_ configuration: InspectConfiguration) throws {
        self.configuration = configuration
        models = try InspectionModels(configuration)
        let directory = configuration.tokenizerDirectory ?? ""
        // The smallest vocabulary of all models that are named.
        let named = [configuration.model.model].filter { !$0.isEmpty }
        let sizes = try named.map { try ModelConfiguration(directory: URL(filePath: $0)).vocabularySize }
        let size = (sizes + models.vocabularySizes).min()
        tokenizer = try loadTokenizer(directory, vocabularySize: size ?? .max)
        try models.check(tokenizer)
        reader = try configuration.data.reader([], tokenizer: tokenizer, vocabularySize: size, seed: 0)
        sampleReader = try ScoredRowReader(configuration.data, tokenizer: tokenizer, vocabularySize: size)
    }

    func inspected(_ object: JSONObject, number: Int, at location: RowLocation) throws -> InspectedRow {
        if configuration.stage == nil, object["completion_ids"] != nil {
            let row = try sampleReader.read(object, at: location)
            let response = Array(row.ids.dropFirst(row.promptLength))
            return InspectedRow(
                number: number,
                kind: "sample",
                source: location,
                sequences: models.judged([
                    sequence("response", Array(row.ids.prefix(row.promptLength)), response, row.isLearned)
                ]),
                label: nil,
                isDropped: false,
                report: nil
            )
        }
        let seen = try reader.seen(
            object,
            at: location,
            as: configuration.stage.map(RowReading.init),
            maximumLength: configuration.data.maxLength,
            maximumPromptLength: configuration.maxPromptLength
        )
        let names = seen.kind == .pair ? ["chosen", "rejected"] : ["response"]
        var sequences = zip(names, seen.responses).map { name, response in
            sequence(name, seen.prompt, response.ids, response.isLearned)
        }
        if sequences.isEmpty { sequences = [sequence("prompt", seen.prompt, [], nil)] }
        return InspectedRow(
            number: number,
            kind: seen.kind.rawValue,
            source: location,
            sequences: models.judged(sequences),
            label: seen.label,
            isDropped: seen.isDropped,
            report: seen.report
        )
    }

    private func sequence(
        _ name: String,
        _ prompt: [Int],
        _ response: [Int],
        _ isLearned: [Bool]?
    ) -> InspectedRow.Sequence {
        let ids = prompt + response
        let pieces = tokenizer?.pieces(of: ids)
        // Without a prompt nothing predicts the first token.
        let given = max(1, prompt.count)
        let tokens = ids.indices.map { index in
            let isLearned = index >= given && isLearned?[index - prompt.count] ?? true
            return InspectedRow.Token(
                id: ids[index],
                bytes: pieces?[index],
                isSpecial: tokenizer?.isSpecial(ids[index]) ?? false,
                part: index < given ? .prompt : isLearned ? .learned : .notLearned
            )
        }
        return InspectedRow.Sequence(name: name, tokens: tokens)
    }
}

extension RowReading {
    /// What a stage reads rows as.
    fileprivate init(_ stage: Configuration.Stage) {
        self =
            switch stage {
            case .sft, .kd: .example
            case .reward, .dpo: .pair
            case .kto: .unpaired
            case .ppo, .rto: .prompt
            }
    }
}
