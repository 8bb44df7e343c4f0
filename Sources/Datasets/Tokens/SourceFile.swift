import Foundation
import JSONText

/// A data file as it was when its rows were read: what tells whether it has changed since.
struct SourceFile: Equatable {
    let path: String
    /// In bytes.
    let size: Int
    /// When it was last written, in nanoseconds since 1970.
    let modified: Int
    /// The digest of all that it holds.
    let digest: String

    /// A file as it is now; nil where it is none that can be read twice, a pipe for instance.
    init?(_ path: String) throws(DatasetError) {
        guard let status = Self.status(path) else { return nil }
        var digest = ContentDigest()
        let stream = try FileByteStream(path: path)
        while let piece = try stream.next() { digest.add(piece) }
        guard let after = Self.status(path), after == status else {
            throw DatasetError(path: path, .unreadable(reason: "it changed while it was being read"))
        }
        (self.path, size, modified, self.digest) = (path, status.size, status.modified, digest.text)
    }

    private static func status(_ path: String) -> (size: Int, modified: Int)? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int(status.st_size), status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec)
    }

    /// What has become of the file.
    enum Change { case none, gone, changed }

    /// Compares the file with what is there now; what it holds is looked at only where its time is another and its size is not.
    func change() throws(DatasetError) -> Change {
        guard let status = Self.status(path) else {
            return FileManager.default.fileExists(atPath: path) ? .changed : .gone
        }
        if status.size != size { return .changed }
        if status.modified == modified { return .none }
        return try SourceFile(path)?.digest == digest ? .none : .changed
    }

    init?(json: JSON) {
        guard let path = json["path"]?.string, let size = json["size"]?.integer,
            let modified = json["modified"]?.integer, let digest = json["digest"]?.string
        else { return nil }
        (self.path, self.size, self.modified, self.digest) = (path, size, modified, digest)
    }

    var json: JSON {
        [
            "path": .string(path), "size": .integer(size), "modified": .integer(modified), "digest": .string(digest),
        ]
    }
}
