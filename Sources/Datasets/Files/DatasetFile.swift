import Foundation
import JSONText

/// Where a row begins: its file, and its line counted from 1.
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

    /// The place as compilers write it: `rows.jsonl:12`.
    public var description: String { "\(path):\(line)" }
}

/// A row of a data file: a JSON object and where it came from.
struct DatasetRow {
    let location: RowLocation
    let object: JSONObject
}

/// The JSON text of a row that nobody has looked into yet.
struct UnparsedRow: Sendable {
    let location: RowLocation
    private let text: [UInt8]

    init(_ text: ArraySlice<UInt8>, at location: RowLocation) {
        self.location = location
        self.text = Array(text)
    }

    /// The row.
    ///
    /// - Throws: `DatasetError` where the text is no JSON object.
    func parsed() throws(DatasetError) -> DatasetRow {
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

/// A file of rows in one of the forms that are read: `.jsonl`, `.json`, and either of them with `.gz` behind.
///
/// A `.json` file is a list of rows or, as some tools write it, one row a line.
struct DatasetFile {
    private enum Format { case lines, listOrLines }

    let path: String
    private let format: Format
    private let isCompressed: Bool

    /// Recognises a file by its name.
    ///
    /// - Throws: `DatasetError` for a name of any other form.
    init(path: String) throws(DatasetError) {
        self.path = path
        var name = URL(filePath: path).lastPathComponent.lowercased()
        isCompressed = name.hasSuffix(".gz")
        if isCompressed { name.removeLast(3) }
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            format = .lines
        } else if name.hasSuffix(".json") {
            format = .listOrLines
        } else {
            throw DatasetError(path: path, .unknownFormat(isKnownToOthers: Self.isFormatOfOthers(path)))
        }
    }

    /// Whether the name is of a form that data come in elsewhere and that is not read here.
    static func isFormatOfOthers(_ path: String) -> Bool {
        [".parquet", ".zst", ".arrow", ".csv", ".tsv", ".bz2", ".xz", ".zip"].contains {
            path.lowercased().hasSuffix($0)
        }
    }

    /// Reads the rows one after another, without parsing them.
    ///
    /// - Throws: `DatasetError` where the file cannot be read, and what the body throws.
    func forEachRow(_ body: (UnparsedRow) throws(DatasetError) -> Void) throws(DatasetError) {
        let stream: any ByteStream = isCompressed ? try GzipByteStream(path: path) : try FileByteStream(path: path)
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
