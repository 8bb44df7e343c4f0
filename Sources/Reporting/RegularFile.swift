import Foundation

/// Files that a report reads, in whose places there may be anything.
enum RegularFile {
    /// The bytes of a file, or as many of its beginning; nil where there is no file.
    ///
    /// - Throws: `ReportingError` with the system's reason, and for a pipe or a device, for which a reader could wait for ever.
    static func bytes(of url: URL, limit: Int = .max) throws(ReportingError) -> Data? {
        // Without O_NONBLOCK, opening a pipe would wait for a writer.
        let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system(url, "cannot be opened")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(url, "cannot be read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ReportingError("\(url.path): is not a regular file") }
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: min(limit, 1 << 20))
        while bytes.count < limit {
            let count = chunk.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress, min(buffer.count, limit - bytes.count))
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(url, "cannot be read") }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }
}
