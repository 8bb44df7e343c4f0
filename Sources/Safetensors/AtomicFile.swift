import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that appears under its name complete or not at all, also when the program is killed or the disk fills.
///
/// The bytes go to a temporary file beside it, named `.NAME.RANDOM.partial`, which `commit()` brings to the disk and renames. A
/// file that is never committed leaves what stood under the name untouched, and its temporary is removed with it.
public final class AtomicFile {
    /// Where the file will stand.
    public let url: URL
    private let temporaryPath: String
    private var descriptor: Int32
    private var position = 0

    /// Creates the temporary file beside the place of the final one.
    ///
    /// - Throws: `SafetensorsError` where the directory does not exist or cannot be written.
    public convenience init(url: URL) throws(SafetensorsError) {
        let name = ".\(url.lastPathComponent).\(String(UInt64.random(in: 0 ... .max), radix: 36)).partial"
        try self.init(
            url: url,
            temporaryPath: url.deletingLastPathComponent().appending(path: name).path,
            flags: O_CREAT | O_EXCL
        )
    }

    init(url: URL, temporaryPath: String, flags: Int32) throws(SafetensorsError) {
        self.url = url
        self.temporaryPath = temporaryPath
        descriptor = open(temporaryPath, O_WRONLY | O_CLOEXEC | flags, 0o666)
        guard descriptor >= 0 else { throw .lastSystemError(path: url.path, "created") }
    }

    deinit { discard() }

    /// Writes a whole file at once.
    ///
    /// - Throws: `SafetensorsError` naming the file; what stood under its name before is then still there.
    public static func write(_ bytes: some Sequence<UInt8>, to url: URL) throws(SafetensorsError) {
        let file = try AtomicFile(url: url)
        try file.append(Array(bytes))
        try file.commit()
    }

    /// Writes bytes behind those appended before.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        try write(bytes, at: position)
        position += bytes.count
    }

    /// Writes bytes behind those appended before.
    public func append(_ bytes: [UInt8]) throws(SafetensorsError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(SafetensorsError) in
            try append(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Writes bytes at a distance, in bytes, from the file's start.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SafetensorsError) {
        precondition(descriptor >= 0, "AtomicFile was written to after commit or discard")
        var rest = bytes[...]
        while !rest.isEmpty {
            let buffer = UnsafeRawBufferPointer(rebasing: rest)
            let count = pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(offset + rest.startIndex))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .lastSystemError(path: url.path, "written") }
            rest = rest.dropFirst(count)
        }
    }

    /// Brings the bytes to the disk and gives the file its name, in place of whatever had it.
    public func commit() throws(SafetensorsError) {
        precondition(descriptor >= 0, "AtomicFile was committed after commit or discard")
        guard fsync(descriptor) == 0 else { throw .lastSystemError(path: url.path, "written") }
        let isClosed = close(descriptor) == 0
        descriptor = -1
        guard isClosed, rename(temporaryPath, url.path) == 0 else {
            let error = SafetensorsError.lastSystemError(path: url.path, "written")
            unlink(temporaryPath)
            throw error
        }
        try synchronizeDirectory()
    }

    /// Gives the file up: the temporary is removed, and whatever has the final name stays.
    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(temporaryPath)
    }

    /// Brings the directory to the disk, without which a power failure could undo the renaming.
    private func synchronizeDirectory() throws(SafetensorsError) {
        let directory = url.deletingLastPathComponent().path
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .lastSystemError(path: directory, "opened") }
        defer { close(descriptor) }
        // Some file systems have nothing to bring to the disk for a directory and answer that the request is invalid.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .lastSystemError(path: directory, "written") }
    }
}

extension SafetensorsError {
    /// The error that the last system call reported, for an operation named by its participle.
    static func lastSystemError(path: String, _ operation: String) -> SafetensorsError {
        SafetensorsError(path: path, .system(operation: operation, reason: String(cString: strerror(errno))))
    }
}
