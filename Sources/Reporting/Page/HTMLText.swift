/// Text as it may stand in an HTML page.
public enum HTMLText {
    /// The text written so that a browser shows it as it is, in elements and in quoted attributes.
    ///
    /// What has a meaning in HTML becomes an entity. What HTML does not allow is shown by Unicode's pictures of control characters,
    /// or as U+FFFD where there is none; line breaks and tabs stay.
    public static func escaped(_ text: some StringProtocol) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;".unicodeScalars
            case "<": escaped += "&lt;".unicodeScalars
            case ">": escaped += "&gt;".unicodeScalars
            case "\"": escaped += "&quot;".unicodeScalars
            case "'": escaped += "&#39;".unicodeScalars
            case "\n", "\t": escaped.append(scalar)
            case "\u{0}"..<" ": escaped.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
            case "\u{7F}": escaped.append("\u{2421}")
            case _ where isForbidden(scalar): escaped.append("\u{FFFD}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    /// Whether it is a control character behind ASCII or stands for no character at all.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        (0x80...0x9F).contains(scalar.value) || (0xFDD0...0xFDEF).contains(scalar.value)
            || scalar.value & 0xFFFE == 0xFFFE
    }

    /// The beginning of a text, and what is said where more follows; both are escaped.
    ///
    /// - Parameter limit: the most Unicode scalars that are kept
    public static func beginning(of text: String, limit: Int) -> String {
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return escaped(text) }
        let rest = grouped(scalars.distance(from: end, to: scalars.endIndex))
        return escaped(text[..<end]) + "<span class=\"more\">… \(rest) more characters are left out</span>"
    }

    /// The end of a text, behind dots where more stands in front of it; both are escaped.
    ///
    /// - Parameter limit: the most Unicode scalars that are kept
    public static func end(of text: String, limit: Int) -> String {
        let scalars = text.unicodeScalars
        guard scalars.count > limit else { return escaped(text) }
        return "…" + escaped(String(String.UnicodeScalarView(scalars.suffix(limit))))
    }

    /// A text with its spaces and line breaks; the content is markup.
    public static func preformatted(_ content: String, class name: String = "") -> String {
        let attribute = name.isEmpty ? "" : " class=\"\(name)\""
        // A browser passes over one line break behind the tag, which would else be the text's own.
        return "<pre\(attribute) dir=\"auto\">\n\(content)</pre>"
    }

    /// A whole number with commas between its thousands.
    public static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[max(0, $0 - 3)..<$0]) }
        return (number < 0 ? "−" : "") + groups.reversed().joined(separator: ",")
    }

    /// A table whose first column is aligned to the left and which scrolls where it is wide; the cells are markup.
    public static func table(_ heading: [String], _ rows: [[String]]) -> String {
        func line(_ cells: [String], _ element: String) -> String {
            "<tr>" + cells.map { "<\(element)>\($0)</\(element)>" }.joined() + "</tr>"
        }
        return """
            <div class="wide"><table><thead>\(line(heading, "th"))</thead>
            <tbody>\(rows.map { line($0, "td") }.joined(separator: "\n"))</tbody></table></div>
            """
    }
}
