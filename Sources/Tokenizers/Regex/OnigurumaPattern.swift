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
        case "w": return Self.members(inBrackets ? Self.wordInBrackets : Self.word, inBrackets)
        case "h": return Self.members("0-9A-Fa-f", inBrackets)
        case "S": return inBrackets ? Self.notSpace : "[^\(Self.space)]"
        case "W" where !inBrackets: return "[^\(Self.word)]"
        case "H": return Self.members(Self.notHexadecimal, inBrackets)
        case "b" where !inBrackets:
            return "(?:(?<=[\(Self.word)])(?![\(Self.word)])|(?<![\(Self.word)])(?=[\(Self.word)]))"
        case "B" where !inBrackets:
            return "(?:(?<=[\(Self.word)])(?=[\(Self.word)])|(?<![\(Self.word)])(?![\(Self.word)]))"
        case "p", "P": return try property(letter, inBrackets)
        case "W", "R", "X", "K", "G", "g", "k", "1"..."9": throw unsupported("\\\(letter)")
        default: return "\\\(letter)"
        }
    }

    private static func members(_ members: String, _ inBrackets: Bool) -> String {
        inBrackets ? members : "[\(members)]"
    }

    private static func members(_ members: String, not isNegated: Bool) -> String {
        "[\(isNegated ? "^" : "")\(members)]"
    }

    /// Unicode's white space; PCRE2's \s also holds U+180E, which has not been a space since Unicode 6.3.
    ///
    /// It ends with a range, like the other lists: behind a range, a hyphen stands for itself.
    private static let space =
        "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{2000}-\\x{200a}"

    /// All but white space.
    private static let notSpace =
        "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"
        + "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"

    private static let notHexadecimal = "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{47}-\\x{60}\\x{67}-\\x{10ffff}"

    /// Oniguruma's word characters: alphabetic ones, marks, digits, connectors, and outside brackets the fractions of Latin-1.
    private static let word = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}" + wordInBrackets

    private static let wordInBrackets = "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}" + alphabeticSymbols

    private static let alphabeticSymbols =
        "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"

    /// What has become alphabetic or lower case since older versions of PCRE2.
    private static let laterAlphabetic =
        "\\x{363}-\\x{36f}\\x{c04}\\x{f82}\\x{f83}\\x{1dd3}-\\x{1de6}\\x{11080}\\x{11081}"
    private static let laterLowercase = "\\x{10fc}\\x{a7f2}-\\x{a7f4}\\x{ab69}"

    /// What POSIX's names of classes mean to Oniguruma, which takes more for letters and punctuation than PCRE2 does.
    ///
    /// Each ends with a range, for the reason above.
    private static let posixClasses: [String: String] = {
        let alphabetic = "\\p{L}\\p{Nl}\\p{Alphabetic}" + laterAlphabetic + alphabeticSymbols
        let visible = "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}!-~"
        return [
            "alnum": "\\p{Nd}" + alphabetic, "alpha": alphabetic, "ascii": "\\x{0}-\\x{7f}",
            "blank": "\\p{Zs}\\x{9}-\\x{9}", "cntrl": "\\p{Cc}\\x{0}-\\x{1f}", "digit": "\\p{Nd}0-9", "graph": visible,
            "lower": "\\p{Lowercase}" + laterLowercase + "a-z", "print": "\\p{Zs}" + visible,
            "punct": "\\p{P}\\p{S}!-/", "space": space,
            "upper": "\\p{Uppercase}A-Z", "word": wordInBrackets, "xdigit": "0-9A-Fa-f",
        ]
    }()

    /// The same names as properties, one of which holds no symbols.
    private static let namedProperties = posixClasses.merging(["punct": "\\p{P}!-#"]) { $1 }

    /// Translates a property: scripts are meant without their extensions, which PCRE2 would add.
    private mutating func property(_ letter: Unicode.Scalar, _ inBrackets: Bool) throws(RegularExpressionError)
        -> String
    {
        guard next() == "{" else { throw RegularExpressionError(description: "\\\(letter) lacks its braces") }
        let isNegated = position < scalars.count && scalars[position] == "^"
        if isNegated { position += 1 }
        var name = ""
        while let scalar = next(), scalar != "}" { name.unicodeScalars.append(scalar) }
        if name.lowercased() == "word", !inBrackets {
            return Self.members(Self.word, not: isNegated == (letter == "p"))
        }
        if !Self.binaryProperties.contains(name.lowercased()), let members = Self.namedProperties[name.lowercased()] {
            guard isNegated == (letter == "P") else {
                if inBrackets { throw unsupported("\\\(letter){\(isNegated ? "^" : "")\(name)} inside brackets") }
                return Self.members(members, not: true)
            }
            return Self.members(members, inBrackets)
        }
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
        // What a hyphen makes a range of: a character that stands alone before it, and one behind it.
        var (followsCharacter, opensRange) = (false, false)
        while let scalar = next() {
            let isClass =
                switch scalar {
                case "\\": position < scalars.count && "wWsSdDhHpP".unicodeScalars.contains(scalars[position])
                case "[": position < scalars.count && scalars[position] == ":"
                default: false
                }
            if isClass && opensRange { throw unsupported("a class as the end of a range") }
            let isHyphen = scalar == "-" && followsCharacter
            (followsCharacter, opensRange) = (!isClass && !opensRange && !isHyphen && scalar != "[", isHyphen)
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
        position += 1
        var name = ""
        while let scalar = next(), scalar != ":" { name.unicodeScalars.append(scalar) }
        guard next() == "]" else { throw RegularExpressionError(description: "a bracket is not closed") }
        guard let members = Self.posixClasses[name] else { throw unsupported("[:\(name):]") }
        return members
    }

    /// Without the brackets it would become a range.
    private var hyphenBesideBrackets: RegularExpressionError {
        unsupported("a hyphen beside brackets inside brackets")
    }

    private func unsupported(_ construct: String) -> RegularExpressionError {
        RegularExpressionError(description: "\(construct) is not supported")
    }
}
