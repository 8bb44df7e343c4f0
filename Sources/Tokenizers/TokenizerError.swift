/// Why a tokenizer could not be loaded, as one sentence that names the file and the place in it.
public struct TokenizerError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The sentence.
    public let description: String

    private static let longestSentence = 1000

    /// An error with that sentence, in which what it quotes of a file stays on one line, of bounded length and harmless.
    public init(_ description: String) {
        let scalars = description.unicodeScalars.prefix(Self.longestSentence)
        let isCut = scalars.endIndex < description.unicodeScalars.endIndex
        self.description =
            scalars.map { scalar in
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .lineSeparator
                    ? scalar.escaped(asASCII: true) : String(scalar)
            }.joined() + (isCut ? "…" : "")
    }
}
