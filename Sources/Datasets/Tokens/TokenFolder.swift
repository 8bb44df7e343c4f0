import Foundation
import JSONText
import Safetensors

/// A folder that keeps the tokens of data sets, so that a data set larger than memory can be learned from, and a run that goes on need
/// not read its data again.
///
/// Each data set is two files: `NAME.safetensors` holds the rows, and `NAME.json` says what they were made of. It is written last, so
/// what has it is whole.
public struct TokenFolder: Sendable {
    private let url: URL
    /// The tokenizer that rows are made into tokens with.
    private let tokenizerDigest: ContentDigest
    /// The digests of the rows that must be found, by the names of data sets.
    private let expected: [String: String]

    /// A folder that exists.
    ///
    /// - Parameters:
    ///   - tokenizer: The digest of the files that the tokenizer was made of.
    ///   - expected: What `digests(in:)` said of data sets that were learned from: these rows are required, kept or read anew.
    public init(_ url: URL, tokenizer: ContentDigest, expecting expected: [String: String] = [:]) {
        self.url = url
        tokenizerDigest = tokenizer
        self.expected = expected
    }

    /// The digests of the rows of all data sets that a folder keeps, by their names.
    ///
    /// - Throws: `DatasetError` for a record that cannot be read.
    public static func digests(in url: URL) throws(DatasetError) -> [String: String] {
        var digests: [String: String] = [:]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
            digests[String(name.dropLast(5))] = try TokenRecord(url.appending(path: name))?.digest
        }
        return digests
    }

    /// The rows that are kept under a name, or those that are read and kept now.
    func rows<Row: StorableRow>(
        named name: String,
        of reader: DatasetReader,
        maximumLength: Int?,
        columns: ColumnChoice,
        _ make: DatasetReader.RowMaker<Row>
    ) throws(DatasetError) -> TokenRows<Row> {
        let key = key(Row.kind, reader, maximumLength)
        let place = url.appending(path: name + ".safetensors")
        guard var record = try TokenRecord(recordURL(name)) else {
            let (record, writer) = try read(reader, to: place, key, columns, make)
            if let digest = expected[name], digest != record.digest {
                throw DatasetError(path: reader.sources.map(\.path).joined(separator: ", "), .changed)
            }
            try writer.finish()
            try write(record, name)
            return try TokenRows(place, record, reader, gone: [], wasKept: false)
        }
        guard record.key == key, record.digest == expected[name] ?? record.digest else {
            throw DatasetError(
                path: place.path,
                .tokens(
                    "the run's tokens were made of other sources or with another tokenizer, chat template or setting; give these"
                        + " back"
                )
            )
        }
        let (gone, touched) = try record.compare(with: reader.sources)
        if let first = touched.first {
            // Nothing but the rows themselves says whether they are the same. What is written meanwhile never gets its name.
            guard gone.isEmpty, let found = try? read(reader, to: place, key, columns, make).record,
                found.digest == record.digest
            else { throw DatasetError(path: first, .changed) }
            record.files = found.files
            try write(record, name)
        }
        return try TokenRows(place, record, reader, gone: gone, wasKept: true)
    }

    /// Reads the rows into a file that has no name yet.
    private func read<Row: StorableRow>(
        _ reader: DatasetReader,
        to place: URL,
        _ key: String,
        _ columns: ColumnChoice,
        _ make: DatasetReader.RowMaker<Row>
    ) throws(DatasetError) -> (record: TokenRecord, writer: TokenFileWriter) {
        let files = try reader.files()
        let before = files.joined().compactMap { SourceFile($0.path) }
        let writer = try TokenFileWriter(place)
        let read = try reader.readAll(files, columns, make) { (row) throws(DatasetError) in try writer.append(row) }
        for file in before where SourceFile(file.path) != file {
            throw DatasetError(path: file.path, .unreadable(reason: "it changed while it was being read"))
        }
        var digest = writer.digest
        digest.add("\(read.counts)".utf8)
        let record = TokenRecord(
            key: key,
            digest: digest.text,
            counts: read.counts,
            paths: writer.paths,
            files: before,
            report: read.report
        )
        return (record, writer)
    }

    private func write(_ record: TokenRecord, _ name: String) throws(DatasetError) {
        do { try record.write(to: recordURL(name)) } catch let error as SafetensorsError {
            throw DatasetError(path: recordURL(name).path, .tokens(error.clause))
        } catch {
            throw DatasetError(path: recordURL(name).path, .tokens("\(error)"))
        }
    }

    /// What rows depend on beside what the files hold: other sources, another tokenizer or another setting make other tokens.
    private func key(_ kind: String, _ reader: DatasetReader, _ maximumLength: Int?) -> String {
        let options = reader.options
        var digest = ContentDigest()
        let parts: [String] = [
            kind, tokenizerDigest.text, "\(options.keys)", options.chatTemplate ?? "-",
            "\(options.inputTemplate as Any)",
            "\(options.vocabularySize ?? -1)", "\(options.skipsBadRows)", "\(options.readsMargins)",
            "\(options.heldOut as Any)", "\(maximumLength ?? -1)", "\(options.seed)",
        ]
        let sources = reader.sources.flatMap { [$0.path, "\($0.weight as Any)"] }
        for part in parts + sources { digest.add("\(part.utf8.count):\(part)".utf8) }
        return digest.text
    }

    private func recordURL(_ name: String) -> URL { url.appending(path: name + ".json") }
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
        _ record: TokenRecord,
        _ reader: DatasetReader,
        gone: [String],
        wasKept: Bool
    ) throws(DatasetError) {
        file = try TokenFile(url, vocabularySize: reader.options.vocabularySize)
        guard record.counts.count == reader.sources.count, file.count == record.rowCount else {
            throw DatasetError(path: url.path, .damagedTokens)
        }
        (report, self.gone, self.wasKept) = (record.report, gone, wasKept)
        mixture = reader.mixture(record.counts)
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
