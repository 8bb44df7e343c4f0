#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A source of bytes that is read in pieces, so that no file need fit in memory.
protocol ByteStream: AnyObject {
    /// The next bytes, never none, or nil at the end.
    func next() throws(DatasetError) -> [UInt8]?
}

/// The bytes of a file as they are.
final class FileByteStream: ByteStream, Sendable {
    private static let pieceByteCount = 1 << 20
    private let path: String
    private let descriptor: Int32

    convenience init(path: String) throws(DatasetError) {
        try self.init(descriptor: open(path, O_RDONLY | O_CLOEXEC), path: path)
    }

    /// Reads a descriptor, and closes it in the end; a negative one is that of an open that failed.
    init(descriptor: Int32, path: String) throws(DatasetError) {
        self.path = path
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw Self.systemError(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func next() throws(DatasetError) -> [UInt8]? {
        var isInterrupted = false
        var isFailed = false
        repeat {
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceByteCount) { buffer, count in
                let result = read(descriptor, buffer.baseAddress, buffer.count)
                count = max(0, result)
                isInterrupted = result < 0 && errno == EINTR
                isFailed = result < 0 && !isInterrupted
            }
            if isFailed { throw Self.systemError(path) }
            if !isInterrupted { return piece.isEmpty ? nil : piece }
        } while true
    }

    /// The size of the file.
    func byteCount() throws(DatasetError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.systemError(path) }
        return Int(status.st_size)
    }

    /// Some bytes at a distance from the file's start, fewer where it ends before.
    func bytes(at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
        var isFailed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, found in
            let result = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            isFailed = result < 0
            found = max(0, result)
        }
        if isFailed { throw Self.systemError(path) }
        return bytes
    }

    private static func systemError(_ path: String) -> DatasetError {
        DatasetError(path: path, .unreadable(reason: String(cString: strerror(errno))))
    }
}
