/// A pattern in Oniguruma's syntax, which the tokenizers library compiles `tokenizer.json` with.
///
/// It is PCRE2's but for a few escapes and for what brackets mean inside brackets.
struct OnigurumaPattern {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    /// The same pattern in PCRE2's syntax.
    func translated() throws(RegularExpressionError) -> String {
        var copy = self
        return try copy.translation()
    }

    private mutating func translation() throws(RegularExpressionError) -> String {
        var result = ""
        while let scalar = next() {
            switch scalar {
            case "\\": result += try escape(inBrackets: false)
            case "[": result += try brackets()
            case "(" where startsOptionalDot(): throw unsupported("(?m), which is (?s) elsewhere,")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private mutating func next() -> Unicode.Scalar? {
        guard position < scalars.count else { return nil }
        defer { position += 1 }
        return scalars[position]
    }

    /// Reads the options behind `(?` for `m`, in which Oniguruma lets the dot match a line's end.
    private func startsOptionalDot() -> Bool {
        guard scalars[position...].first == "?" else { return false }
        let options = scalars[(position + 1)...].prefix { $0 == "-" || ("a"..."z").contains($0) }
        let end = position + 1 + options.count
        return options.contains("m") && end < scalars.count && (scalars[end] == ":" || scalars[end] == ")")
    }

    /// Translates what follows a backslash.
    private mutating func escape(inBrackets: Bool) throws(RegularExpressionError) -> String {
        guard let letter = next() else { throw RegularExpressionError(description: "it ends with a backslash") }
        switch letter {
        case "s": return Self.members(Self.space, inBrackets)
        case "w": return Self.members(Self.word, inBrackets)
        case "h": return Self.members("0-9A-Fa-f", inBrackets)
        case "S" where !inBrackets: return "[^\(Self.space)]"
        case "W" where !inBrackets: return "[^\(Self.word)]"
        case "H" where !inBrackets: return "[^0-9A-Fa-f]"
        case "b" where !inBrackets:
            return "(?:(?<=[\(Self.word)])(?![\(Self.word)])|(?<![\(Self.word)])(?=[\(Self.word)]))"
        case "B" where !inBrackets:
            return "(?:(?<=[\(Self.word)])(?=[\(Self.word)])|(?<![\(Self.word)])(?![\(Self.word)]))"
        case "p", "P": return try property(letter)
        case "S", "W", "H", "R", "X", "K", "G", "g", "k", "1"..."9": throw unsupported("\\\(letter)")
        default: return "\\\(letter)"
        }
    }

    private static func members(_ members: String, _ inBrackets: Bool) -> String {
        inBrackets ? members : "[\(members)]"
    }

    /// Unicode's white space; PCRE2's \s also holds U+180E, which has not been a space since Unicode 6.3.
    ///
    /// It ends with a range, like the other lists: behind a range, a hyphen stands for itself.
    private static let space =
        "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{2000}-\\x{200a}"

    /// Oniguruma's word characters: alphabetic ones, marks, digits, connectors, and the fractions of Latin-1.
    private static let word =
        "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"
        + "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"

    /// Translates a property: scripts are meant without their extensions, which PCRE2 would add.
    private mutating func property(_ letter: Unicode.Scalar) throws(RegularExpressionError) -> String {
        guard next() == "{" else { throw RegularExpressionError(description: "\\\(letter) lacks its braces") }
        let isNegated = position < scalars.count && scalars[position] == "^"
        if isNegated { position += 1 }
        var name = ""
        while let scalar = next(), scalar != "}" { name.unicodeScalars.append(scalar) }
        // Categories have one letter or two; of the other names, all but these are scripts.
        let isScript = name.count > 2 && !Self.binaryProperties.contains(name.lowercased())
        return "\\\(letter){\(isNegated ? "^" : "")\(isScript ? "sc:" : "")\(name)}"
    }

    private static let binaryProperties: Set<String> = [
        "any", "ascii", "alphabetic", "lowercase", "uppercase", "ideographic", "white_space", "emoji",
        "extended_pictographic",
    ]

    /// Translates a character class: brackets inside it are a union, which is the same class without them.
    private mutating func brackets() throws(RegularExpressionError) -> String {
        var result = "["
        if position < scalars.count, scalars[position] == "^" {
            result += "^"
            position += 1
        }
        var depth = 1
        var isFirst = true
        while let scalar = next() {
            switch scalar {
            case "\\": result += try escape(inBrackets: true)
            case "]" where isFirst: result += "\\]"
            case "]":
                depth -= 1
                if depth == 0 { return result + "]" }
                if position < scalars.count, scalars[position] == "-" { throw hyphenBesideBrackets }
            case "[" where position < scalars.count && scalars[position] == ":": result += try posixClass()
            case "[":
                guard position < scalars.count, scalars[position] != "^" else {
                    throw unsupported("[^…] inside brackets")
                }
                if result.last == "-" { throw hyphenBesideBrackets }
                depth += 1
            case "&" where position < scalars.count && scalars[position] == "&": throw unsupported("&& inside brackets")
            default: result.unicodeScalars.append(scalar)
            }
            isFirst = false
        }
        throw RegularExpressionError(description: "a bracket is not closed")
    }

    private mutating func posixClass() throws(RegularExpressionError) -> String {
        var result = "["
        while let scalar = next() {
            result.unicodeScalars.append(scalar)
            if scalar == "]" { return result }
        }
        throw RegularExpressionError(description: "a bracket is not closed")
    }

    /// Without the brackets it would become a range.
    private var hyphenBesideBrackets: RegularExpressionError {
        unsupported("a hyphen beside brackets inside brackets")
    }

    private func unsupported(_ construct: String) -> RegularExpressionError {
        RegularExpressionError(description: "\(construct) is not supported")
    }
}
