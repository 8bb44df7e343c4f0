import Foundation

/// What keeps a report from being made, in one sentence with file and line.
public struct ReportingError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// An error of this sentence.
    public init(_ description: String) { self.description = description }

    /// The error that the last system call reported about a file.
    static func system(_ file: URL, _ problem: String) -> ReportingError {
        ReportingError("\(file.path): \(problem): \(String(cString: strerror(errno)))")
    }
}
