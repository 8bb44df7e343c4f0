/// Why an evaluation could not be done: one sentence that says what, where and what to do.
public struct EvaluationError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The sentence.
    public let description: String

    /// An error with its sentence.
    public init(_ description: String) { self.description = description }
}
