import Configuration
import Datasets
import Foundation
import Models
import Tokenizers

extension DataSettings {
    /// A reader of the given files with these settings, and of one part of them alone where it is named.
    func reader(
        _ sources: [DataSource],
        tokenizer: Tokenizer?,
        vocabularySize: Int?,
        seed: Int,
        part: HeldOut.Part? = nil,
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
        options.chatTemplate = try chatTemplateText()
        options.inputTemplate = try inputTemplate.map { text throws(DatasetError) in try InputTemplate(text) }
        options.vocabularySize = vocabularySize
        options.skipsBadRows = skipBadRows
        options.readsMargins = readsMargins
        options.seed = UInt64(bitPattern: Int64(seed))
        if let part, let evaluationShare {
            options.heldOut = HeldOut(share: evaluationShare, seed: options.seed, part: part)
        }
        return DatasetReader(
            sources: sources.map { DatasetSource(path: $0.path, weight: $0.weight) },
            tokenizer: tokenizer,
            options: options
        )
    }

    /// A reader of the rows to evaluate on: of files of their own, or the part that is held out.
    func evaluationReader(
        tokenizer: Tokenizer?,
        vocabularySize: Int,
        seed: Int,
        readsMargins: Bool = false
    ) throws -> DatasetReader? {
        if evaluation.isEmpty && evaluationShare == nil { return nil }
        return try reader(
            // Weights say what to train on; to evaluate, no row is too many.
            (evaluation.isEmpty ? sources.map(\.path) : evaluation).map { DataSource(path: $0) },
            tokenizer: tokenizer,
            vocabularySize: vocabularySize,
            seed: seed,
            part: .evaluation,
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
        ResponseBatch.Row(
            prompt: Array(ids.prefix(promptLength)),
            response: Array(ids.dropFirst(promptLength)),
            isScored: isLearned
        )
    }
}

extension LabelledRow {
    /// Prompt and response apart, with their label.
    init(_ example: UnpairedExample) {
        row = ResponseBatch.Row(
            prompt: Array(example.ids.prefix(example.promptLength)),
            response: Array(example.ids.dropFirst(example.promptLength)),
            isScored: example.isLearned
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
