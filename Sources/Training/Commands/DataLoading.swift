import Configuration
import Datasets
import Foundation
import Models
import Tokenizers

extension DataSettings {
    /// A reader of the given files with these settings.
    func reader(
        _ sources: [DataSource],
        tokenizer: Tokenizer?,
        vocabularySize: Int,
        seed: Int,
        readsMargins: Bool = false
    ) throws -> DatasetReader {
        var options = DatasetOptions()
        options.keys = DatasetKeys(
            prompt: promptKey,
            chosen: chosenKey,
            rejected: rejectedKey,
            input: inputKey,
            output: outputKey,
            label: labelKey
        )
        options.chatTemplate = try chatTemplateText() ?? tokenizer?.chatTemplate
        options.inputTemplate = try inputTemplate.map { text throws(DatasetError) in try InputTemplate(text) }
        options.vocabularySize = vocabularySize
        options.skipsBadRows = skipBadRows
        options.readsMargins = readsMargins
        options.seed = UInt64(bitPattern: Int64(seed))
        return DatasetReader(
            sources: sources.map { DatasetSource(path: $0.path, weight: $0.weight) },
            tokenizer: tokenizer,
            options: options
        )
    }

    /// A reader of the held-out files.
    func evaluationReader(
        tokenizer: Tokenizer?,
        vocabularySize: Int,
        readsMargins: Bool = false
    ) throws -> DatasetReader? {
        guard !evaluation.isEmpty else { return nil }
        return try reader(
            evaluation.map { DataSource(path: $0) },
            tokenizer: tokenizer,
            vocabularySize: vocabularySize,
            seed: 0,
            readsMargins: readsMargins
        )
    }
}

/// Says on standard error what became of the rows, where not all were used as they are.
func report(_ report: DatasetReport, _ name: String) {
    note("\(name): \(report)")
    for error in report.badRows { note("  \(error)") }
}

extension TokenizedExample {
    /// Prompt and response apart.
    var row: ResponseBatch.Row {
        ResponseBatch.Row(prompt: Array(ids.prefix(promptLength)), response: Array(ids.dropFirst(promptLength)))
    }
}

extension LabelledRow {
    /// Prompt and response apart, with their label.
    init(_ example: UnpairedExample) {
        row = ResponseBatch.Row(
            prompt: Array(example.ids.prefix(example.promptLength)),
            response: Array(example.ids.dropFirst(example.promptLength))
        )
        label = example.label
    }
}

extension PairRows {
    /// Rows of tokenised pairs.
    init(_ pairs: [TokenizedPair]) {
        self.init(pairs.map { ($0.prompt, $0.chosen, $0.rejected) }, margins: pairs.map { $0.margin ?? 0 })
    }
}
