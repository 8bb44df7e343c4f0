import Foundation
import JSONText

/// Where a row begins: its file, and its line counted from 1; in a Parquet file, which has no lines, the row counted from 1.
public struct RowLocation: Sendable, Equatable, CustomStringConvertible {
    /// The file's path.
    public let path: String
    /// The line on which the row begins, counted from 1.
    public let line: Int

    /// A place in a file.
    public init(path: String, line: Int) {
        self.path = path
        self.line = line
    }

    /// The place as compilers write it: `rows.jsonl:12`, or `rows.parquet, row 12`.
    public var description: String {
        DatasetFile.isParquet(path) ? "\(path), row \(line)" : "\(path):\(line)"
    }
}

/// A row of a data file: a JSON object and where it came from.
struct DatasetRow {
    let location: RowLocation
    var object: JSONObject
    /// Columns of the table that were not read, since nobody looks at them.
    var unreadColumns: [String] = []
    /// Columns of the table that no row can hold, or not what they have here, and that were left out.
    var unreadableColumns: [String] = []
}

/// A row that nobody has looked into yet: its JSON text, or its place in a table.
struct UnparsedRow: Sendable {
    let location: RowLocation
    private let content: Content

    private enum Content: Sendable {
        case text([UInt8])
        case table(ArrowBatch, row: Int)
    }

    init(_ text: ArraySlice<UInt8>, at location: RowLocation) {
        self.location = location
        content = .text(Array(text))
    }

    init(_ table: ArrowBatch, row: Int, at location: RowLocation) {
        self.location = location
        content = .table(table, row: row)
    }

    /// About how much memory it takes.
    var byteCount: Int {
        switch content {
        case .text(let text): text.count
        case .table(let batch, _): batch.averageRowByteCount
        }
    }

    /// The row.
    ///
    /// - Throws: `DatasetError` where the text is no JSON object, or the table holds what no row can.
    func parsed() throws(DatasetError) -> DatasetRow {
        switch content {
        case .text(let text): return try parsed(text)
        case .table(let batch, let row): return try batch.row(row, at: location)
        }
    }

    private func parsed(_ text: [UInt8]) throws(DatasetError) -> DatasetRow {
        let json: JSON
        do {
            json = try JSON(parsing: text, options: JSONParsingOptions(allowsNonFiniteNumbers: true))
        } catch {
            let place = RowLocation(path: location.path, line: location.line + error.line - 1)
            throw DatasetError(location: place, .notJSON(reason: "column \(error.column): \(error.message)"))
        }
        guard let object = json.object else {
            throw DatasetError(location: location, .notAnObject(found: json.kind))
        }
        return DatasetRow(location: location, object: object)
    }
}

/// A file of rows in one of the forms that are read: `.parquet`; `.jsonl` and `.json`, and either of them with `.gz` or `.zst` behind.
///
/// A `.json` file is a list of rows or, as some tools write it, one row a line.
struct DatasetFile: Equatable {
    enum Format { case lines, listOrLines, parquet }
    private enum Compression { case none, gzip, zstandard }

    let path: String
    let format: Format
    private let compression: Compression

    /// Recognises a file by its name.
    ///
    /// - Throws: `DatasetError` for a name of any other form.
    init(path: String) throws(DatasetError) {
        self.path = path
        var name = URL(filePath: path).lastPathComponent.lowercased()
        compression = name.hasSuffix(".gz") ? .gzip : name.hasSuffix(".zst") ? .zstandard : .none
        if compression != .none { name.removeLast(compression == .gzip ? 3 : 4) }
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            format = .lines
        } else if name.hasSuffix(".json") {
            format = .listOrLines
        } else if name.hasSuffix(".parquet") && compression == .none {
            format = .parquet
        } else {
            throw DatasetError(path: path, .unknownFormat(isKnownToOthers: Self.isFormatOfOthers(path)))
        }
    }

    static func isParquet(_ path: String) -> Bool { path.lowercased().hasSuffix(".parquet") }

    /// Whether the name is of a form that data come in elsewhere and that is not read here.
    static func isFormatOfOthers(_ path: String) -> Bool {
        [
            ".arrow", ".feather", ".csv", ".tsv", ".bz2", ".xz", ".zip", ".lz4", ".parquet.gz", ".parquet.zst",
            ".csv.gz",
            ".csv.zst",
        ].contains { path.lowercased().hasSuffix($0) }
    }

    /// Reads the rows one after another, without parsing them.
    ///
    /// - Parameter columns: Which columns of a Parquet file are read.
    /// - Throws: `DatasetError` where the file cannot be read, and what the body throws.
    func forEachRow(
        _ columns: ColumnChoice = ColumnChoice(),
        _ body: (UnparsedRow) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        switch (format, compression) {
        case (.parquet, _): try ParquetFile(path: path, columns).forEachRow(body)
        case (_, .none): try forEachRow(in: FileByteStream(path: path), body)
        case (_, .gzip): try forEachRow(in: GzipByteStream(path: path), body)
        case (_, .zstandard): try forEachRow(in: ZstandardByteStream(path: path), body)
        }
    }

    private func forEachRow(
        in stream: any ByteStream,
        _ body: (UnparsedRow) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        var splitter: (any RowSplitter)? = format == .lines ? LineSplitter() : nil
        let emit = { (line: Int, text: ArraySlice<UInt8>) throws(DatasetError) in
            try body(UnparsedRow(text, at: RowLocation(path: path, line: line)))
        }
        var blank: [UInt8] = []
        while let piece = try stream.next() {
            if splitter == nil {
                blank += piece
                guard let first = blank.first(where: { !isJSONWhitespace($0) }) else { continue }
                splitter = first == UInt8(ascii: "[") ? ElementSplitter(path: path) : LineSplitter()
                try splitter?.take(blank[...], emit)
                blank = []
            } else {
                try splitter?.take(piece[...], emit)
            }
        }
        try splitter?.finish(emit)
    }
}
