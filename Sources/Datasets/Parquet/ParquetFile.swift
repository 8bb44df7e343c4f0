import CArrow
import Foundation

/// A Parquet file whose rows are read batch by batch, so that neither the file nor one of its row groups need fit in memory.
final class ParquetFile {
    /// About how many bytes of memory a batch takes.
    private static let batchByteCount: Int64 = 8 << 20

    private let path: String
    private let library: ParquetLibrary
    private let handle: OpaquePointer
    private let columns: ArrowColumns

    /// Opens a file.
    ///
    /// - Parameter columns: Which columns are read.
    /// - Throws: `DatasetError` where there is no reader to be had, the file is no Parquet file, or a column that is wanted is of a type
    ///   that no row can hold.
    init(path: String, _ columns: ColumnChoice = ColumnChoice()) throws(DatasetError) {
        try Self.checkMarks(path)
        let library: ParquetLibrary
        do { library = try ParquetLibrary.shared.get() } catch {
            throw DatasetError(path: path, .unreadable(reason: error.reason))
        }
        var schema = ArrowSchema()
        var handle: OpaquePointer?
        let failure = Self.failure { error, capacity in
            handle = library.open(path, &schema, error, capacity)
            return handle != nil
        }
        guard failure == nil, let handle else { throw Self.damaged(path, failure ?? "") }
        defer { schema.release?(&schema) }
        do {
            self.columns = try Self.choose(columns, of: schema, handle, library, path)
        } catch {
            library.close(handle)
            throw error
        }
        self.path = path
        self.library = library
        self.handle = handle
    }

    deinit { library.close(handle) }

    /// Has the reader read what is wanted of the columns of a file.
    private static func choose(
        _ choice: ColumnChoice,
        of schema: ArrowSchema,
        _ handle: OpaquePointer,
        _ library: ParquetLibrary,
        _ path: String
    ) throws(DatasetError) -> ArrowColumns {
        var (numbers, skipped, unreadable): ([Int32], [String], [String]) = ([], [], [])
        for (number, column) in ArrowField.columns(of: schema).enumerated() {
            switch column.field {
            case _ where choice.skipped.contains(column.name): skipped.append(column.name)
            case .success: numbers.append(Int32(number))
            case .failure(let error):
                guard !choice.requires(column.name) else {
                    throw DatasetError(path: path, .inconsistent(error.sentence))
                }
                unreadable.append(column.name)
            }
        }
        var chosen = ArrowSchema()
        let failure = Self.failure { library.choose(handle, numbers, numbers.count, &chosen, $0, $1) }
        if let failure { throw damaged(path, failure) }
        defer { chosen.release?(&chosen) }
        var fields: [ArrowField] = []
        for column in ArrowField.columns(of: chosen) {
            do { fields.append(try column.field.get()) } catch {
                throw DatasetError(path: path, .inconsistent(error.sentence))
            }
        }
        return ArrowColumns(fields: fields, choice: choice, skipped: skipped, unreadable: unreadable)
    }

    /// The rows one after another, each of which holds on to its batch until it is made.
    ///
    /// - Throws: `DatasetError` where a part of the file is damaged, and what the body throws.
    func forEachRow(_ body: (UnparsedRow) throws(DatasetError) -> Void) throws(DatasetError) {
        var number = 0
        while let batch = try nextBatch() {
            for row in 0..<batch.rowCount {
                number += 1
                try body(UnparsedRow(batch, row: row, at: RowLocation(path: path, line: number)))
            }
        }
    }

    /// The next rows, as many as take little memory together; nil behind the last ones.
    ///
    /// - Throws: `DatasetError` where a part of the file is damaged.
    func nextBatch() throws(DatasetError) -> ArrowBatch? {
        var array = ArrowArray()
        var byteCount: Int64 = 0
        let failure = Self.failure { library.next(handle, Self.batchByteCount, &array, &byteCount, $0, $1) }
        if let failure { throw Self.damaged(path, failure) }
        return array.release == nil ? nil : ArrowBatch(taking: array, columns, byteCount: Int(byteCount))
    }

    /// The reason that the reader gives for a failure, on one line.
    private static func failure(_ call: (UnsafeMutablePointer<CChar>?, Int) -> Bool) -> String? {
        var isDone = false
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { error in
            error.initialize(repeating: 0)
            isDone = call(error.baseAddress, error.count)
            return String(decoding: error.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return isDone ? nil : words.withoutFinalPeriod
    }

    private static let encrypted =
        "the Parquet file is encrypted, and no keys can be given here; write it without encryption"

    private static func damaged(_ path: String, _ reason: String) -> DatasetError {
        // Columns may be encrypted in a file that does not say so at its end.
        let sentence =
            reason.contains("ecrypt")
            ? encrypted : "Apache Arrow says: \(reason); get the file again, or write it again with pyarrow"
        return DatasetError(path: path, .unreadable(reason: sentence))
    }

    /// Looks at the marks with which Parquet files begin and end: they tell the usual mishaps apart better than Arrow's words.
    private static func checkMarks(_ path: String) throws(DatasetError) {
        func fails(_ reason: String) -> DatasetError { DatasetError(path: path, .unreadable(reason: reason)) }
        let stream = try FileByteStream(path: path)
        let beginning = try stream.bytes(at: 0, count: 64)
        let end = try stream.bytes(at: max(0, try stream.byteCount() - 4), count: 4)
        let (mark, encryptedMark) = (Array("PAR1".utf8), Array("PARE".utf8))
        if end == encryptedMark {
            throw fails(encrypted)
        }
        if beginning.starts(with: Array("version https://git-lfs".utf8)) {
            throw fails("it is a pointer of Git LFS and not the data; fetch them with 'git lfs pull'")
        }
        guard beginning.starts(with: mark) else {
            throw fails("it is no Parquet file, whatever its name says: it does not begin with PAR1")
        }
        guard end == mark, try stream.byteCount() >= 12 else {
            throw fails("the Parquet file was cut short: it does not end with PAR1; get it again")
        }
    }
}
