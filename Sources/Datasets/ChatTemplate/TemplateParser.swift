import JSONText

/// Builds the statements of a template from its pieces.
struct TemplateParser {
    private static let depthLimit = 100

    private let pieces: [TemplatePiece]
    private var position = 0
    private var depth = 0

    init(_ source: String) throws(ChatTemplateError) {
        var lexer = TemplateLexer(source)
        pieces = try lexer.cut()
    }

    mutating func template() throws(ChatTemplateError) -> [TemplateStatement] {
        let statements = try body(until: [])
        guard let (word, words) = currentStatement else { return statements }
        throw words.syntax("'\(word)' closes nothing")
    }

    /// The first name and the words of the statement tag that stands here.
    private var currentStatement: (name: String, words: TemplateWords)? {
        guard position < pieces.count, case .statement(let words, let line) = pieces[position] else { return nil }
        guard case .name(let name)? = words.first else { return ("", TemplateWords(words, line: line)) }
        return (name, TemplateWords(Array(words.dropFirst()), line: line))
    }

    /// Parses up to a statement tag that begins with one of the given names, or that only its opener may be followed by.
    private mutating func body(until ends: Set<String>) throws(ChatTemplateError) -> [TemplateStatement] {
        var statements: [TemplateStatement] = []
        while position < pieces.count {
            switch pieces[position] {
            case .text(let text):
                statements.append(.text(text))
                position += 1
            case .output(let words, let line):
                var words = TemplateWords(words, line: line)
                statements.append(.output(try words.wholeExpression(), line: line))
                position += 1
            case .statement:
                guard let (name, words) = currentStatement else { return statements }
                if ends.contains(name) || ["else", "elif"].contains(name) || name.hasPrefix("end") {
                    return statements
                }
                position += 1
                statements += try statement(name, words)
            }
        }
        return statements
    }

    private mutating func statement(
        _ name: String,
        _ words: TemplateWords
    ) throws(ChatTemplateError) -> [TemplateStatement] {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw words.syntax("more than \(Self.depthLimit) statements are nested") }
        switch name {
        case "if": return [try condition(words)]
        case "for": return [try loop(words)]
        case "set": return [try assignment(words)]
        case "generation":
            // Marks the assistant's words for the loss, which here follows from where the prompt ends.
            let statements = try body(until: ["endgeneration"])
            try close("endgeneration", words)
            return statements
        default: throw words.unsupported("the statement '\(name)'")
        }
    }

    private mutating func close(_ end: String, _ opener: TemplateWords) throws(ChatTemplateError) {
        guard let (name, _) = currentStatement, name == end else { throw opener.syntax("'\(end)' is missing") }
        position += 1
    }

    private mutating func condition(_ opener: TemplateWords) throws(ChatTemplateError) -> TemplateStatement {
        var words = opener
        var branches = [(test: try words.wholeExpression(), body: try body(until: ["endif"]))]
        while let (name, elif) = currentStatement, name == "elif" {
            var words = elif
            position += 1
            branches.append((test: try words.wholeExpression(), body: try body(until: ["endif"])))
        }
        let otherwise = try elseBody(until: "endif")
        try close("endif", opener)
        return .condition(branches, otherwise: otherwise, line: opener.line)
    }

    private mutating func elseBody(until end: String) throws(ChatTemplateError) -> [TemplateStatement] {
        guard let (name, _) = currentStatement, name == "else" else { return [] }
        position += 1
        return try body(until: [end])
    }

    private mutating func loop(_ opener: TemplateWords) throws(ChatTemplateError) -> TemplateStatement {
        var words = opener
        var names = [try words.name()]
        while words.take(",") { names.append(try words.name()) }
        guard words.take(name: "in") else { throw words.syntax("'in' is missing in 'for'") }
        // Without its own 'if' form: in a 'for', an 'if' behind the sequence chooses the elements.
        let sequence = try words.disjunction()
        let filter = words.take(name: "if") ? try words.expression() : nil
        try words.finish()
        let statements = try body(until: ["endfor"])
        let otherwise = try elseBody(until: "endfor")
        try close("endfor", opener)
        let loop = TemplateLoop(
            names: names,
            sequence: sequence,
            filter: filter,
            body: statements,
            otherwise: otherwise
        )
        return .loop(loop, line: opener.line)
    }

    private func assignment(_ opener: TemplateWords) throws(ChatTemplateError) -> TemplateStatement {
        var words = opener
        let name = try words.name()
        let attribute = words.take(".") ? try words.name() : nil
        guard words.take("=") else { throw words.unsupported("a 'set' without '='") }
        return .assignment(name: name, attribute: attribute, value: try words.wholeExpression(), line: opener.line)
    }
}
