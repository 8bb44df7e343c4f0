/// A recursive-descent parser of Jinja's language.
struct Parser {
    private let tokens: [Token]
    private var index = 0
    private var depth = 0
    /// How many loops of the same macro surround the current place.
    var loopDepth = 0

    init(_ tokens: [Token]) { self.tokens = tokens }

    var current: Token { tokens[index] }

    var next: Token { tokens[min(index + 1, tokens.count - 1)] }

    @discardableResult
    mutating func advance() -> Token {
        defer { if index < tokens.count - 1 { index += 1 } }
        return tokens[index]
    }

    mutating func skipSymbol(_ symbol: String) -> Bool {
        guard current.isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skipName(_ name: String) -> Bool {
        guard current.isName(name) else { return false }
        advance()
        return true
    }

    mutating func expectSymbol(_ symbol: String) throws(Fault) {
        guard skipSymbol(symbol) else { throw unexpected("'\(symbol)'") }
    }

    mutating func expectName() throws(Fault) -> String {
        guard current.kind == .name else { throw unexpected("a name") }
        return advance().text
    }

    mutating func expectKeyword(_ name: String) throws(Fault) {
        guard skipName(name) else { throw unexpected("'\(name)'") }
    }

    mutating func expect(_ kind: Token.Kind, _ description: String) throws(Fault) {
        guard current.kind == kind else { throw unexpected(description) }
        advance()
    }

    func unexpected(_ expectation: String) -> Fault {
        fault("expected \(expectation), but found \(current.description)")
    }

    func fault(_ reason: String, at position: Int? = nil) -> Fault {
        Lexer.fault(reason, position ?? current.position)
    }

    /// Parses what may hold itself, but not too deep.
    mutating func nested<Result>(_ body: (inout Parser) throws(Fault) -> Result) throws(Fault) -> Result {
        guard depth < Limits.syntaxDepth else {
            throw fault("more than \(Limits.syntaxDepth) constructs stand inside each other")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }
}

extension Parser {
    /// Parses the whole template.
    mutating func template() throws(Fault) -> [Statement] {
        let body = try statements(until: [])
        guard current.kind == .end else { throw unexpected("the end of the template") }
        return body
    }

    /// Parses until a tag with one of the given names, of which the name is then the current token.
    mutating func statements(until ends: Set<String>) throws(Fault) -> [Statement] {
        try nested { parser throws(Fault) in
            var body: [Statement] = []
            while parser.current.kind != .end {
                let token = parser.advance()
                switch token.kind {
                case .text: body.append(Statement(kind: .text(token.text), position: token.position))
                case .outputStart:
                    let value = try parser.tupleOrExpression()
                    try parser.expect(.outputEnd, "'}}'")
                    body.append(Statement(kind: .output(value), position: token.position))
                default:
                    if parser.current.kind == .name, ends.contains(parser.current.text) { return body }
                    body += try parser.statement(at: token.position)
                    try parser.expect(.statementEnd, "'%}'")
                }
            }
            guard ends.isEmpty else {
                let names = ends.sorted().map { "'\($0)'" }.joined(separator: " or ")
                throw parser.fault("the template ends where \(names) is needed")
            }
            return body
        }
    }

    /// Parses the body behind a tag, up to and including the name of the tag that ends it.
    mutating func body(until end: String) throws(Fault) -> [Statement] {
        try body(until: [end]).body
    }

    mutating func body(until ends: Set<String>) throws(Fault) -> (body: [Statement], end: String) {
        _ = skipSymbol(":")
        try expect(.statementEnd, "'%}'")
        let body = try statements(until: ends)
        return (body, advance().text)
    }
}
