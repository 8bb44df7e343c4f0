import Foundation
import JSONText

/// The rows of files, or of standard input, one after another: each is handed out as soon as it is read, and none is kept.
public struct RowStream: Sendable {
    private let paths: [String]
    private let columns: ColumnChoice

    /// A stream of the rows of files and directories, one source after the other; of standard input where there are none.
    ///
    /// - Parameter reader: What alone looks at the rows, where it does: what no row can hold is left out of columns that it does not know.
    public init(paths: [String], for reader: DatasetReader? = nil) {
        self.paths = paths
        columns = ColumnChoice(required: reader?.knownColumns)
    }

    /// Hands out every row, and where it stands.
    ///
    /// - Throws: `DatasetError` where a file cannot be read or a row is no JSON object, and what the body throws.
    public func forEach(_ body: (JSONObject, RowLocation) throws -> Void) throws {
        var failure: (any Error)?
        let take = { (row: UnparsedRow) throws(DatasetError) in
            let row = try row.parsed()
            do {
                try body(row.object, row.location)
            } catch {
                failure = error
                // Readers of files throw errors of files alone: this one ends the reading, and the body's takes its place.
                throw DatasetError(location: row.location, .unreadable(reason: "\(error)"))
            }
        }
        do {
            if paths.isEmpty { try Self.readStandardInput(take) }
            for path in paths {
                for file in try DatasetSource(path: path).files() { try file.forEachRow(columns, take) }
            }
        } catch {
            throw failure ?? error
        }
    }

    private static func readStandardInput(
        _ take: (UnparsedRow) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        let name = "standard input"
        let stream = try FileByteStream(descriptor: dup(STDIN_FILENO), path: name)
        var splitter = LineSplitter()
        let emit = { (line: Int, text: ArraySlice<UInt8>) throws(DatasetError) in
            try take(UnparsedRow(text, at: RowLocation(path: name, line: line)))
        }
        while let piece = try stream.next() { try splitter.take(piece[...], emit) }
        try splitter.finish(emit)
    }
}
