import Foundation
import JSONText
import Safetensors

/// A folder that keeps the tokens of data sets, so that a data set larger than memory can be learned from, and a run that goes on need
/// not read its data again.
///
/// Each data set is two files: `NAME.safetensors` holds the rows, and `NAME.json` says what they were made of. It is written last, so
/// what has it is whole.
public struct TokenFolder: Sendable {
    private static let version = 1

    private let url: URL
    /// The tokenizer that rows are made into tokens with.
    private let tokenizerDigest: ContentDigest

    /// A folder that exists.
    ///
    /// - Parameter tokenizer: The digest of the files that the tokenizer was made of.
    public init(_ url: URL, tokenizer: ContentDigest) {
        self.url = url
        tokenizerDigest = tokenizer
    }

    /// The rows that are kept under a name, or those that are read and kept now.
    func rows<Row: StorableRow>(
        named name: String,
        of reader: DatasetReader,
        maximumLength: Int?,
        skipping skipped: Set<String>,
        _ make: DatasetReader.RowMaker<Row>
    ) throws(DatasetError) -> TokenRows<Row> {
        let key = key(Row.kind, reader, maximumLength)
        let place = url.appending(path: name + ".safetensors")
        if let record = record(name) {
            guard record.key == key else {
                throw DatasetError(
                    path: place.path,
                    .tokens(
                        "the run's tokens were made with another tokenizer, chat template or setting; give these back"
                    )
                )
            }
            let gone = try checkUnchanged(record, reader)
            return try TokenRows(place, record, reader.mixture(record.counts), gone: gone, wasKept: true)
        }
        let writer = try TokenFileWriter(place)
        let read = try reader.readAll(skipping: skipped, make) { (row) throws(DatasetError) in try writer.append(row) }
        var files: [SourceFile] = []
        for source in reader.sources {
            for file in try source.files() { if let file = try SourceFile(file.path) { files.append(file) } }
        }
        try writer.finish()
        let record = Record(key: key, counts: read.counts, paths: writer.paths, files: files, report: read.report)
        do {
            try AtomicFile.write(Array((record.json.serialized(pretty: true) + "\n").utf8), to: recordURL(name))
        } catch {
            throw DatasetError(path: url.path, .tokens("\(error)"))
        }
        return try TokenRows(place, record, read.mixture, gone: [], wasKept: false)
    }

    /// What rows depend on beside the files: another tokenizer or another setting makes other tokens of them.
    private func key(_ kind: String, _ reader: DatasetReader, _ maximumLength: Int?) -> String {
        let options = reader.options
        var digest = ContentDigest()
        let parts: [String] = [
            kind, tokenizerDigest.text, "\(options.keys)", options.chatTemplate ?? "-",
            "\(options.inputTemplate as Any)",
            "\(options.vocabularySize ?? -1)", "\(options.skipsBadRows)", "\(options.readsMargins)",
            "\(options.heldOut as Any)", "\(maximumLength ?? -1)",
        ]
        for part in parts { digest.add("\(part.utf8.count):\(part)".utf8) }
        return digest.text
    }

    /// The files that are gone; their tokens are here, so nothing is lost.
    ///
    /// - Throws: `DatasetError` for a file that has changed, and for one that has come into a directory.
    private func checkUnchanged(_ record: Record, _ reader: DatasetReader) throws(DatasetError) -> [String] {
        var gone: [String] = []
        for file in record.files {
            switch try file.change() {
            case .none: break
            case .gone: gone.append(file.path)
            case .changed: throw DatasetError(path: file.path, .changed)
            }
        }
        guard gone.isEmpty else { return gone }
        let known = Set(record.files.map(\.path))
        for source in reader.sources {
            for file in try source.files() where !known.contains(file.path) {
                if try SourceFile(file.path) != nil { throw DatasetError(path: file.path, .changed) }
            }
        }
        return []
    }

    private func recordURL(_ name: String) -> URL { url.appending(path: name + ".json") }

    /// What is recorded of a data set; nil where nothing is, or by another version of the program.
    private func record(_ name: String) -> Record? {
        guard let data = FileManager.default.contents(atPath: recordURL(name).path),
            let json = try? JSON(parsing: [UInt8](data)), json["version"]?.integer == Self.version
        else { return nil }
        return Record(json: json)
    }

    /// What the rows of a data set were made of.
    struct Record {
        let key: String
        /// The rows of each source.
        let counts: [Int]
        /// The data files by the numbers that rows name them by.
        let paths: [String]
        let files: [SourceFile]
        let report: DatasetReport

        init(key: String, counts: [Int], paths: [String], files: [SourceFile], report: DatasetReport) {
            (self.key, self.counts, self.paths, self.files, self.report) = (key, counts, paths, files, report)
        }

        init?(json: JSON) {
            guard let key = json["key"]?.string, let counts = json["rows"]?.array, let paths = json["paths"]?.array,
                let files = json["files"]?.array, let report = json["report"]
            else { return nil }
            self.key = key
            self.counts = counts.compactMap(\.integer)
            self.paths = paths.compactMap(\.string)
            self.files = files.compactMap(SourceFile.init(json:))
            self.report = DatasetReport(json: report)
        }

        var json: JSON {
            [
                "version": .integer(TokenFolder.version), "key": .string(key), "rows": .array(counts.map(JSON.integer)),
                "paths": .array(paths.map(JSON.string)), "files": .array(files.map(\.json)), "report": report.json,
            ]
        }
    }
}

/// The rows of a data set in the order of its mixture, in a file from which each is read when it is wanted.
public struct TokenRows<Row: StorableRow>: Sendable {
    /// What became of the rows of text.
    public let report: DatasetReport
    /// The data files that are no longer there.
    public let gone: [String]
    /// Whether the tokens were there already, and no data file was read.
    public let wasKept: Bool
    private let file: TokenFile
    private let mixture: DatasetMixture
    private let paths: [String]

    init(
        _ url: URL,
        _ record: TokenFolder.Record,
        _ mixture: DatasetMixture,
        gone: [String],
        wasKept: Bool
    ) throws(DatasetError) {
        file = try TokenFile(url)
        guard file.count == record.counts.reduce(0, +) else {
            throw DatasetError(path: url.path, .tokens("it does not belong to what is recorded beside it"))
        }
        (report, self.gone, self.wasKept, self.mixture) = (record.report, gone, wasKept, mixture)
        paths = record.paths
    }

    /// The number of rows.
    public var count: Int { mixture.count }

    /// The row at a position.
    ///
    /// - Throws: `DatasetError` where the file cannot be read, or is damaged.
    public func row(_ position: Int) throws(DatasetError) -> Row {
        try file.row(mixture[position], paths: paths)
    }

    /// The numbers of ids of the longest rows, from the longest on.
    ///
    /// - Throws: `DatasetError` where the file cannot be read, or is damaged.
    public func largestTokenCounts(_ count: Int) throws(DatasetError) -> [Int] {
        var largest: [Int] = []
        func add(_ tokenCount: Int) {
            largest.append(tokenCount)
            if largest.count >= 2 * count + 4096 { largest = Array(largest.sorted(by: >).prefix(count)) }
        }
        if mixture.isWhole {
            try file.forEachTokenCount(add)
        } else {
            var counts: [Int] = []
            try file.forEachTokenCount { counts.append($0) }
            for position in 0..<mixture.count { add(counts[mixture[position]]) }
        }
        return Array(largest.sorted(by: >).prefix(count))
    }
}
