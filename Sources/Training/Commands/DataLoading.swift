import Configuration
import Datasets
import Foundation
import Models
import Synchronization
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
        let progress = ReadingProgress()
        options.progress = { progress($0) }
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

/// Says the same of rows whose tokens a run keeps, and whether they were read at all.
func report<Row>(_ rows: TokenRows<Row>, _ name: String) {
    report(rows.report, rows.wasKept ? "\(name), as the run keeps its tokens" : name)
    for path in rows.gone { note("  \(path) is gone; what it held is kept with the run") }
}

/// Says on standard error that reading goes on, where that takes long.
private final class ReadingProgress: Sendable {
    private let lastNote = Mutex(ContinuousClock.now)

    func callAsFunction(_ rowCount: Int) {
        let isDue = lastNote.withLock { last in
            guard last.duration(to: .now) > .seconds(10) else { return false }
            last = .now
            return true
        }
        if isDue { note("\(rowCount) rows of data read so far") }
    }
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
        row = example.example.row
        label = example.label
    }
}

extension PairRow {
    /// A tokenised pair.
    init(_ pair: TokenizedPair) {
        self.init(prompt: pair.prompt, chosen: pair.chosen, rejected: pair.rejected, margin: pair.margin)
    }
}

extension ContentDigest {
    /// The digest of the files that a tokenizer is made of; that of nothing where a directory has none.
    static func tokenizer(_ directory: String) throws -> ContentDigest {
        var digest = ContentDigest()
        guard let place = try ModelPlace(URL(filePath: directory)).tokenizerDirectory else { return digest }
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
        for name in names where Companions.tokenizer.contains(name) || name.hasSuffix(".tiktoken") {
            digest.add(name.utf8)
            digest.add(try Data(contentsOf: place.appending(path: name)))
        }
        return digest
    }
}
