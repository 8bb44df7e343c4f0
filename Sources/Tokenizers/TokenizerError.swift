/// Why a tokenizer could not be loaded, as one sentence that names the file and the place in it.
public struct TokenizerError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The sentence.
    public let description: String

    /// An error with that sentence.
    public init(_ description: String) {
        self.description = description
    }
}
