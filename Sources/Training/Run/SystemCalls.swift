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
