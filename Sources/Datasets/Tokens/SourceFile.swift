import Foundation
import JSONText

/// A data file as it was when its rows were read: what tells whether it may have changed since.
struct SourceFile: Equatable {
    let path: String
    /// In bytes.
    let size: Int
    /// When it was last written: whole seconds since 1970, and the nanoseconds behind them.
    let modified: [Int]

    /// A file as it is now; nil where there is none, or none that can be read twice, a pipe for instance.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.path = path
        size = Int(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
    }

    /// What has become of the file; `touched` is one whose size is the same and whose time is another.
    enum Change { case none, gone, touched, changed }

    /// Compares the file with what is there now, and looks at nothing that it holds.
    func change() -> Change {
        guard let now = SourceFile(path) else {
            return FileManager.default.fileExists(atPath: path) ? .changed : .gone
        }
        return now == self ? .none : now.size == size ? .touched : .changed
    }

    init?(json: JSON) {
        guard let path = json["path"]?.string, let size = json["size"]?.integer, let times = json["modified"]?.array,
            times.count == 2, let seconds = times[0].integer, let nanoseconds = times[1].integer
        else { return nil }
        (self.path, self.size, modified) = (path, size, [seconds, nanoseconds])
    }

    var json: JSON {
        ["path": .string(path), "size": .integer(size), "modified": .array(modified.map(JSON.integer))]
    }
}
