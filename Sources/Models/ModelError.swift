/// A model directory that cannot be used, with the reason.
public struct ModelError: Error, Equatable, CustomStringConvertible {
    /// One sentence: where, what, and what to do where that is known.
    public let description: String

    /// An error that reads as `place: problem`.
    public init(_ place: String, _ problem: String) {
        description = place + ": " + problem
    }
}
