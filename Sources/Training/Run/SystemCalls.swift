import Foundation

/// The error that the last system call reported about a file.
func systemError(_ file: URL, _ problem: String) -> TrainingError {
    TrainingError("\(file.path): \(problem): \(String(cString: strerror(errno)))")
}

/// Makes a directory, and those above it that are missing; one that exists is left as it is.
///
/// - Throws: `TrainingError` with the system's reason, which Foundation's errors do not carry.
func makeDirectory(_ directory: URL) throws(TrainingError) {
    if mkdir(directory.path, 0o777) == 0 || errno == EEXIST { return }
    let above = directory.deletingLastPathComponent()
    guard errno == ENOENT, above.path != directory.path else { throw systemError(directory, "cannot be made") }
    try makeDirectory(above)
    guard mkdir(directory.path, 0o777) == 0 || errno == EEXIST else { throw systemError(directory, "cannot be made") }
}

/// Writes all bytes to an open file; false, with the reason in `errno`, where the system refuses.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
