import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file of the cache.
///
/// The descriptor never changes, and the system guards what it stands for.
final class SystemFile: @unchecked Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens a file for reading and writing, and makes it where it is missing.
    init(path: String) throws(HubError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .system(path, "cannot be opened") }
    }

    deinit { close(descriptor) }

    /// Its bytes.
    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Gives up what stands behind an offset.
    func truncate(to offset: Int) throws(HubError) {
        guard ftruncate(descriptor, off_t(offset)) == 0 else { throw .system(path, "cannot be cut") }
    }

    /// Writes bytes at an offset.
    func write(_ bytes: some ContiguousBytes, at offset: Int) throws(HubError) {
        let isDone = bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let buffer = UnsafeRawBufferPointer(rebasing: rest)
                let count = pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(offset + rest.startIndex))
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isDone else { throw .system(path, "cannot be written") }
    }

    /// Hands over the first bytes, piece by piece.
    func forEachPiece(upTo end: Int, _ body: (UnsafeRawBufferPointer) -> Void) throws(HubError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < end {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, end - offset), off_t(offset))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system(path, "cannot be read") }
            body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
    }

    func synchronize() throws(HubError) {
        guard fsync(descriptor) == 0 else { throw .system(path, "cannot be brought to the disk") }
    }

    /// Locks the file unless another process has it locked; the lock ends with the object, or with the process.
    ///
    /// - Returns: false where another has it.
    func lock() throws(HubError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            // A file system without locks: writers of one content write the same bytes at the same places.
            if [ENOSYS, ENOTSUP, EOPNOTSUPP, ENOLCK].contains(errno) { return true }
            guard errno == EINTR else { throw .system(path, "cannot be locked") }
        }
        return true
    }

    /// Whether the file still has its name, which another process may have removed in the meantime.
    var hasItsName: Bool {
        var (here, there) = (stat(), stat())
        return fstat(descriptor, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino
            && here.st_dev == there.st_dev
    }
}

extension HubError {
    /// The error that the last system call reported about a path.
    static func system(_ path: String, _ problem: String) -> HubError {
        let code = errno
        let advice = code == ENOSPC ? "; make room, or set HF_HUB_CACHE to a folder on a larger disk" : ""
        return HubError("\(path): \(problem): \(String(cString: strerror(code)))\(advice)")
    }
}

/// Makes a directory, and those above it that are missing.
func makeFolder(_ folder: URL) throws(HubError) {
    if mkdir(folder.path, 0o777) == 0 || errno == EEXIST { return }
    let above = folder.deletingLastPathComponent()
    guard errno == ENOENT, above.path != folder.path else { throw .system(folder.path, "cannot be made") }
    try makeFolder(above)
    guard mkdir(folder.path, 0o777) == 0 || errno == EEXIST else { throw .system(folder.path, "cannot be made") }
}

/// Gives a file its final name, in place of whatever had it.
func renameFile(_ source: String, _ target: String) throws(HubError) {
    guard rename(source, target) == 0 else { throw .system(target, "cannot be given its name") }
}

/// The bytes that may still be written to the disk of a folder; nil where the system does not say.
func freeBytes(_ folder: URL) -> Int? {
    var status = statvfs()
    guard statvfs(folder.path, &status) == 0 else { return nil }
    return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
}
