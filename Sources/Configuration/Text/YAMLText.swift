/// How texts are written in YAML.
enum YAMLText {
    /// The text as it is where YAML reads it as the same text, else in quotes.
    static func plainOrQuoted(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    /// The text in double quotes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Whether the text is a word or a path that no YAML reader takes for a number, a keyword or a mark.
    private static func isPlain(_ text: String) -> Bool {
        let keywords = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        guard let first = text.unicodeScalars.first, !keywords.contains(text.lowercased()) else { return false }
        let startsPlainly = isLetter(first) || first == "/" || text.hasPrefix("./") || text.hasPrefix("../")
        return startsPlainly
            && text.unicodeScalars.allSatisfy { isLetter($0) || "0123456789/._-+".unicodeScalars.contains($0) }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }
}
