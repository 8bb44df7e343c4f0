/// A word of a template: text as it stands, a tag's edge, or a word inside a tag.
struct Token {
    enum Kind: Equatable {
        case text
        case outputStart, outputEnd
        case statementStart, statementEnd
        case name
        case string
        case integer(Int)
        case float(Double)
        case symbol
        case end
    }

    let kind: Kind
    /// The text, name, string value or symbol.
    let text: String
    /// The scalar of the template at which the word begins.
    let position: Int

    func isName(_ name: String) -> Bool { kind == .name && text == name }

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }

    /// How an error names the word.
    var description: String {
        switch kind {
        case .text: "text"
        case .outputStart: "'{{'"
        case .outputEnd: "'}}'"
        case .statementStart: "'{%'"
        case .statementEnd: "'%}'"
        case .string: "a string"
        case .end: "the end of the template"
        case .name, .integer, .float, .symbol: "'\(text)'"
        }
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.isspace`, `str.strip` and `\s` take the character for white space.
    var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }

    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}

extension String {
    init(scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
