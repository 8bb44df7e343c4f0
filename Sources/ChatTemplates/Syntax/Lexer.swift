/// Cuts a template into words, under Jinja's rules of white space with `trim_blocks` and `lstrip_blocks` on.
///
/// That is: a statement or comment swallows the newline behind it and the white space in front of it on its line; a minus sign in a tag
/// swallows all white space on its side, a plus sign keeps it; and one newline at the template's end is dropped.
struct Lexer {
    let scalars: [Unicode.Scalar]
    var position = 0
    var tokens: [Token] = []
    /// Whether what was read last ended a line.
    private var isAtLineStart = true

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    /// A template's scalars with one kind of newline, and without the last one.
    static func scalars(of source: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(source.utf8.count)
        var previous: Unicode.Scalar?
        for scalar in source.unicodeScalars {
            if scalar != "\n" || previous != "\r" { result.append(scalar == "\r" ? "\n" : scalar) }
            previous = scalar
        }
        if result.last == "\n" { result.removeLast() }
        return result
    }

    mutating func words() throws(Fault) -> [Token] {
        while position < scalars.count {
            let start = position
            while position < scalars.count, !isTagStart(position) { position += 1 }
            guard position < scalars.count else {
                append(text: scalars[start...], from: start)
                break
            }
            append(text: stripped(scalars[start..<position], behind: position + 2), from: start)
            try takeTag()
        }
        tokens.append(Token(kind: .end, text: "", position: scalars.count))
        return tokens
    }

    func scalar(_ index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func isTagStart(_ index: Int) -> Bool {
        scalars[index] == "{" && (scalar(index + 1).map { $0 == "{" || $0 == "%" || $0 == "#" } ?? false)
    }

    private mutating func append(text: ArraySlice<Unicode.Scalar>, from start: Int) {
        guard !text.isEmpty else { return }
        tokens.append(Token(kind: .text, text: String(scalars: text), position: start))
    }

    /// The text in front of a tag without what the tag swallows of it; `sign` is where the tag's sign would stand.
    private func stripped(_ text: ArraySlice<Unicode.Scalar>, behind sign: Int) -> ArraySlice<Unicode.Scalar> {
        switch scalar(sign) {
        case "-": return text.prefix(through: (text.lastIndex { !$0.isPythonSpace } ?? text.startIndex - 1))
        case "+": return text
        default:
            // Output keeps what is in front of it.
            guard scalar(sign - 1) != "{" else { return text }
            let lineStart = text.lastIndex(of: "\n").map { $0 + 1 }
            guard let start = lineStart ?? (isAtLineStart ? text.startIndex : nil) else { return text }
            return text[start...].allSatisfy(\.isPythonSpace) ? text[..<start] : text
        }
    }

    private mutating func takeTag() throws(Fault) {
        let start = position
        let kind = scalars[position + 1]
        position += 2
        if scalar(position) == "-" || scalar(position) == "+" { position += 1 }
        switch kind {
        case "#": try takeComment(from: start)
        case "%" where try takeRawText(from: start): break
        case "%":
            tokens.append(Token(kind: .statementStart, text: "", position: start))
            try takeWords(until: kind)
            tokens.append(Token(kind: .statementEnd, text: "", position: position))
            takeTagEnd(kind)
        default:
            tokens.append(Token(kind: .outputStart, text: "", position: start))
            try takeWords(until: "}")
            tokens.append(Token(kind: .outputEnd, text: "", position: position))
            takeTagEnd("}")
        }
    }

    /// Whether the closing mark of a tag stands here, with or without its sign.
    private func isTagEnd(_ kind: Unicode.Scalar) -> Bool {
        let hasSign = scalar(position) == "-" || (scalar(position) == "+" && kind != "}")
        let start = hasSign ? position + 1 : position
        return scalar(start) == kind && scalar(start + 1) == "}"
    }

    /// Takes a closing mark and the white space that it swallows.
    private mutating func takeTagEnd(_ kind: Unicode.Scalar, trimsNewline: Bool = true) {
        let start = position
        let sign = scalar(position)
        let isSigned = sign == "-" || (sign == "+" && kind != "}")
        position += isSigned ? 3 : 2
        if sign == "-" {
            skipSpace()
        } else if !isSigned, kind != "}", trimsNewline, scalar(position) == "\n" {
            position += 1
        }
        isAtLineStart = position > start && scalars[position - 1] == "\n"
    }

    private mutating func skipSpace() {
        while let next = scalar(position), next.isPythonSpace { position += 1 }
    }

    private mutating func takeComment(from start: Int) throws(Fault) {
        while position < scalars.count, !isTagEnd("#") { position += 1 }
        guard position < scalars.count else { throw Self.fault("a comment is not closed", start) }
        takeTagEnd("#")
    }

    /// Takes `raw … endraw`, whose text is no template, or says that the tag is another one.
    private mutating func takeRawText(from start: Int) throws(Fault) -> Bool {
        guard let content = endOfTag(named: "raw", from: position, allowsPlus: false) else { return false }
        position = content
        takeTagEnd("%", trimsNewline: false)
        let textStart = position
        while position < scalars.count {
            if scalars[position] == "{", scalar(position + 1) == "%" {
                let hasSign = scalar(position + 2) == "-" || scalar(position + 2) == "+"
                if let end = endOfTag(named: "endraw", from: position + (hasSign ? 3 : 2), allowsPlus: true) {
                    append(text: stripped(scalars[textStart..<position], behind: position + 2), from: textStart)
                    position = end
                    takeTagEnd("%")
                    return true
                }
            }
            position += 1
        }
        throw Self.fault("'raw' is not closed by 'endraw'", start)
    }

    /// Where the closing mark of a tag stands that holds one name only, or nil for another tag.
    private func endOfTag(named name: String, from start: Int, allowsPlus: Bool) -> Int? {
        var copy = self
        copy.position = start
        copy.skipSpace()
        for letter in name.unicodeScalars {
            guard copy.scalar(copy.position) == letter else { return nil }
            copy.position += 1
        }
        copy.skipSpace()
        guard copy.isTagEnd("%"), allowsPlus || copy.scalar(copy.position) != "+" else { return nil }
        return copy.position
    }

    private mutating func takeWords(until kind: Unicode.Scalar) throws(Fault) {
        let start = position
        var open: [Unicode.Scalar] = []
        while let next = scalar(position) {
            if open.isEmpty, isTagEnd(kind) { return }
            if next.isPythonSpace {
                position += 1
            } else {
                let token = try word(next)
                if token.kind == .symbol { try balance(token, &open) }
                tokens.append(token)
            }
        }
        throw Self.fault("a tag is not closed", max(0, start - 2))
    }

    private func balance(_ token: Token, _ open: inout [Unicode.Scalar]) throws(Fault) {
        switch token.text {
        case "(": open.append(")")
        case "[": open.append("]")
        case "{": open.append("}")
        case ")", "]", "}":
            guard let expected = open.popLast() else { throw Self.fault("unexpected '\(token.text)'", token.position) }
            guard token.text == String(expected) else {
                throw Self.fault("unexpected '\(token.text)', expected '\(expected)'", token.position)
            }
        default: break
        }
    }

    static func fault(_ reason: String, _ position: Int) -> Fault {
        Fault(problem: .syntax(reason), position: position)
    }
}
