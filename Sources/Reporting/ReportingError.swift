/// What keeps a report from being made, in one sentence with file and line.
public struct ReportingError: Error, Equatable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// An error of this sentence.
    public init(_ description: String) { self.description = description }
}
