/// A piece of a template: text as it stands, or the inside of a tag cut into words.
enum TemplatePiece {
    case text(String)
    case output([TemplateWord], line: Int)
    case statement([TemplateWord], line: Int)
}

/// A word of the language inside a tag.
enum TemplateWord: Equatable {
    case name(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case symbol(String)
}

/// Cuts a template into pieces, under Jinja's rules of white space with `trim_blocks` and `lstrip_blocks` on.
///
/// That is: a statement or comment swallows the newline behind it and the white space in front of it on its line; a minus sign in a tag
/// swallows all white space on its side, a plus sign keeps it; and one newline at the template's end is dropped.
struct TemplateLexer {
    typealias Scalars = [Unicode.Scalar]

    private let scalars: Scalars
    private var position = 0
    private var line = 1
    private var pieces: [TemplatePiece] = []
    /// Whether nothing but a line's beginning stands in front of the current position.
    private var isAtLineStart = true
    /// The most words that a tag may have, which bounds how deep its expression can be.
    private static let tagWordLimit = 1000

    init(_ source: String) {
        var scalars = Scalars(source.replacing("\r\n", with: "\n").replacing("\r", with: "\n").unicodeScalars)
        if scalars.last == "\n" { scalars.removeLast() }
        self.scalars = scalars
    }

    mutating func cut() throws(ChatTemplateError) -> [TemplatePiece] {
        while position < scalars.count {
            let start = position
            while position < scalars.count && !isTagStart(position) { position += 1 }
            var text = scalars[start..<position]
            if position < scalars.count { stripFront(&text) }
            if !text.isEmpty { pieces.append(.text(String(String.UnicodeScalarView(text)))) }
            line += scalars[start..<position].count { $0 == "\n" }
            if position < scalars.count { try takeTag() }
        }
        return pieces
    }

    private func isTagStart(_ index: Int) -> Bool {
        guard scalars[index] == "{", index + 1 < scalars.count else { return false }
        return ["{", "%", "#"].contains(scalars[index + 1])
    }

    private func scalar(_ index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    /// Removes what the tag that begins here swallows of the text in front of it.
    private func stripFront(_ text: inout ArraySlice<Unicode.Scalar>) {
        let sign = scalar(position + 2)
        if sign == "-" {
            while text.last?.isTemplateWhitespace == true { text.removeLast() }
        } else if sign != "+" && scalars[position + 1] != "{" {
            let lineStart = text.lastIndex(of: "\n").map { $0 + 1 }
            guard lineStart != nil || isAtLineStart else { return }
            let start = lineStart ?? text.startIndex
            if text[start...].allSatisfy(\.isTemplateWhitespace) { text = text[..<start] }
        }
    }

    private mutating func takeTag() throws(ChatTemplateError) {
        let kind = scalars[position + 1]
        let startLine = line
        position += 2
        if scalar(position) == "-" || (scalar(position) == "+" && kind != "{") { position += 1 }
        if kind == "#" {
            while position < scalars.count && !isEnd(of: kind) { advance() }
            guard position < scalars.count else { throw syntax("a comment is not closed", startLine) }
        } else {
            let words = try takeWords(until: kind)
            pieces.append(kind == "{" ? .output(words, line: startLine) : .statement(words, line: startLine))
        }
        takeTagEnd(kind)
    }

    /// Whether the closing mark of a tag stands here, with or without its sign.
    private func isEnd(of kind: Unicode.Scalar) -> Bool {
        let hasSign = scalar(position) == "-" || (scalar(position) == "+" && kind != "{")
        let start = hasSign ? position + 1 : position
        return scalar(start) == (kind == "{" ? "}" : kind) && scalar(start + 1) == "}"
    }

    private mutating func takeTagEnd(_ kind: Unicode.Scalar) {
        let sign = scalar(position)
        let isSigned = sign == "-" || (sign == "+" && kind != "{")
        position += isSigned ? 3 : 2
        isAtLineStart = false
        if sign == "-" {
            while position < scalars.count, scalars[position].isTemplateWhitespace {
                isAtLineStart = scalars[position] == "\n"
                advance()
            }
        } else if !isSigned && kind != "{" && scalar(position) == "\n" {
            advance()
            isAtLineStart = true
        }
    }

    private mutating func advance() {
        if scalars[position] == "\n" { line += 1 }
        position += 1
    }

    private func syntax(_ reason: String, _ line: Int) -> ChatTemplateError {
        ChatTemplateError(line: line, problem: .syntax(reason))
    }
}

extension TemplateLexer {
    private mutating func takeWords(until kind: Unicode.Scalar) throws(ChatTemplateError) -> [TemplateWord] {
        var words: [TemplateWord] = []
        var openBraces = 0
        let startLine = line
        while let next = scalar(position) {
            if openBraces == 0 && isEnd(of: kind) { return words }
            if next.isTemplateWhitespace {
                advance()
                continue
            }
            if next == "{" { openBraces += 1 }
            if next == "}" { openBraces -= 1 }
            guard words.count < Self.tagWordLimit else { throw syntax("a tag is too long", startLine) }
            words.append(try takeWord(next))
        }
        throw syntax("a tag is not closed", startLine)
    }

    private mutating func takeWord(_ next: Unicode.Scalar) throws(ChatTemplateError) -> TemplateWord {
        if next == "'" || next == "\"" { return .string(try takeString(quote: next)) }
        if next == "_" || next.properties.isAlphabetic { return .name(takeRun(\.isTemplateNamePart)) }
        if ("0"..."9").contains(next) { return try takeNumber() }
        let pair = String(next) + (scalar(position + 1).map(String.init) ?? "")
        let symbol = ["==", "!=", "<=", ">=", "//", "**"].contains(pair) ? pair : String(next)
        guard symbol.count == 2 || "+-*/%~<>=()[]{},.:|".unicodeScalars.contains(next) else {
            throw syntax("\(quoted(symbol)) has no meaning in a tag", line)
        }
        position += symbol.count
        return .symbol(symbol)
    }

    private mutating func takeRun(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while let next = scalar(position), belongs(next) { position += 1 }
        return String(String.UnicodeScalarView(scalars[start..<position]))
    }

    private mutating func takeNumber() throws(ChatTemplateError) -> TemplateWord {
        let isDigit = { (scalar: Unicode.Scalar) in ("0"..."9").contains(scalar) }
        let isDigitAt = { [scalars] (index: Int) in index < scalars.count && isDigit(scalars[index]) }
        var digits = takeRun(isDigit)
        let integerDigits = digits.count
        if scalar(position) == "." && isDigitAt(position + 1) {
            position += 1
            digits += "." + takeRun(isDigit)
        }
        if scalar(position) == "e" || scalar(position) == "E" {
            let isSigned = scalar(position + 1) == "+" || scalar(position + 1) == "-"
            let start = position + (isSigned ? 2 : 1)
            if isDigitAt(start) {
                digits += String(String.UnicodeScalarView(scalars[position..<start]))
                position = start
                digits += takeRun(isDigit)
            }
        }
        if digits.count > integerDigits { return .number(Double(digits) ?? 0) }
        guard let value = Int(digits) else { throw syntax("the number \(digits) is too large", line) }
        return .integer(value)
    }

    private mutating func takeString(quote: Unicode.Scalar) throws(ChatTemplateError) -> String {
        let startLine = line
        var text = String.UnicodeScalarView()
        position += 1
        while let next = scalar(position) {
            advance()
            if next == quote { return String(text) }
            text.append(contentsOf: next == "\\" ? try takeEscape() : [next])
        }
        throw syntax("a string is not closed", startLine)
    }

    /// Takes what stands behind a backslash; one without a meaning stands for itself, as in Python.
    private mutating func takeEscape() throws(ChatTemplateError) -> [Unicode.Scalar] {
        guard let next = scalar(position) else { throw syntax("a string is not closed", line) }
        advance()
        switch next {
        case "n": return ["\n"]
        case "t": return ["\t"]
        case "r": return ["\r"]
        case "\n": return []
        case "\\", "'", "\"": return [next]
        case "x": return [try takeCode(digits: 2)]
        case "u": return [try takeCode(digits: 4)]
        case "U": return [try takeCode(digits: 8)]
        default: return ["\\", next]
        }
    }

    private mutating func takeCode(digits: Int) throws(ChatTemplateError) -> Unicode.Scalar {
        let end = min(position + digits, scalars.count)
        let text = String(String.UnicodeScalarView(scalars[position..<end]))
        guard end == position + digits, let code = UInt32(text, radix: 16), let scalar = Unicode.Scalar(code) else {
            throw syntax("an escape in a string names no character", line)
        }
        position = end
        return scalar
    }
}

extension Unicode.Scalar {
    /// Whether Python's `str.strip` and `\s` take the character for white space.
    var isTemplateWhitespace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }

    fileprivate var isTemplateNamePart: Bool {
        self == "_" || properties.isAlphabetic || properties.numericType == .decimal
    }
}
