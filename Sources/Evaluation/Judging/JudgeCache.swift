import Foundation
import JSONText
import Safetensors
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a judge has said, in a file that only grows: one record a line, on the disk before it counts.
///
/// Whatever ends the program, a call that was answered is not made again. A line that was cut off by its end is taken away when
/// the file is opened.
public final class JudgeCache: Sendable {
    private let path: String
    private let keys: [String]
    private let descriptor: Int32
    private let records: Mutex<[TextKey: JSONObject]>

    /// Opens or makes a file of records that differ in the texts of these keys.
    ///
    /// - Throws: ``EvaluationError`` where it cannot be, another run has it open, or a whole line in it is no record.
    public init(_ url: URL, keys: [String]) throws(EvaluationError) {
        (path, self.keys) = (url.path, keys)
        try? FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw EvaluationError("\(url.path): \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw EvaluationError("\(url.path) is in use by another run")
        }
        let data = FileManager.default.contents(atPath: path) ?? Data()
        let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard ftruncate(descriptor, off_t(whole)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            throw EvaluationError("\(url.path): \(String(cString: strerror(errno)))")
        }
        var found: [TextKey: JSONObject] = [:]
        if whole > 0 {
            for row in try RowFile.read(path) { found[TextKey(row, keys)] = row }
        }
        records = Mutex(found)
    }

    deinit { close(descriptor) }

    /// The record whose texts are those of the given one.
    func record(like key: JSONObject) -> JSONObject? { records.withLock { $0[TextKey(key, keys)] } }

    /// Takes over records of another file, in memory only.
    func adopt(_ rows: [JSONObject]) {
        records.withLock { records in
            for row in rows where records[TextKey(row, keys)] == nil { records[TextKey(row, keys)] = row }
        }
    }

    /// Writes a record and waits until it is on the disk.
    ///
    /// - Throws: ``EvaluationError`` where the disk refuses it.
    func store(_ record: JSONObject) throws(EvaluationError) {
        let line = Array((JSON.object(record).serialized() + "\n").utf8)
        let isStored = records.withLock { records in
            records[TextKey(record, keys)] = record
            return writeAll(line, to: descriptor) && fsync(descriptor) == 0
        }
        guard isStored else { throw EvaluationError("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    }
}

extension TextKey {
    fileprivate init(_ row: JSONObject, _ keys: [String]) {
        self.init(keys.map { row[$0]?.serialized() ?? "" }.joined(separator: "\n"))
    }
}
