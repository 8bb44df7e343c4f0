extension Parser {
    /// Parses an expression, or several between commas, which are a tuple.
    mutating func tupleOrExpression(
        allowsConditional: Bool = true,
        endingWith end: String? = nil,
        isInParentheses: Bool = false
    ) throws(Fault) -> Expression {
        let start = current.position
        var elements: [Expression] = []
        var isTuple = false
        repeat {
            if isTupleEnd(end) { break }
            elements.append(allowsConditional ? try expression() : try nested { p throws(Fault) in try p.or() })
            if current.isSymbol(",") { isTuple = true }
        } while skipSymbol(",")
        if isTuple || (elements.isEmpty && isInParentheses) {
            return Expression(kind: .tuple(elements), position: start)
        }
        guard let first = elements.first else { throw unexpected("an expression") }
        return first
    }

    mutating func expression() throws(Fault) -> Expression {
        try nested { parser throws(Fault) in try parser.conditional() }
    }

    private mutating func conditional() throws(Fault) -> Expression {
        var value = try or()
        while skipName("if") {
            let condition = try or()
            let otherwise = skipName("else") ? try expression() : nil
            let kind = Expression.Kind.conditional(condition: condition, then: value, otherwise: otherwise)
            value = Expression(kind: kind, position: value.position)
        }
        return value
    }

    private mutating func or() throws(Fault) -> Expression {
        var left = try and()
        var count = 0
        while skipName("or") {
            try checkChain(&count)
            left = Expression(kind: .or(left, try and()), position: left.position)
        }
        return left
    }

    private mutating func and() throws(Fault) -> Expression {
        var left = try not()
        var count = 0
        while skipName("and") {
            try checkChain(&count)
            left = Expression(kind: .and(left, try not()), position: left.position)
        }
        return left
    }

    /// Bounds how many operators make one chain, since the tree of a chain is as deep as the chain is long.
    private func checkChain(_ count: inout Int) throws(Fault) {
        count += 1
        guard count <= Limits.syntaxDepth else {
            throw fault("more than \(Limits.syntaxDepth) operators make one chain")
        }
    }

    private mutating func not() throws(Fault) -> Expression {
        let start = current.position
        guard skipName("not") else { return try comparison() }
        let operand = try nested { parser throws(Fault) in try parser.not() }
        return Expression(kind: .not(operand), position: start)
    }

    private mutating func comparison() throws(Fault) -> Expression {
        let left = try sum()
        var operands: [(ComparisonOperator, Expression)] = []
        while let `operator` = comparisonOperator() { operands.append((`operator`, try sum())) }
        return operands.isEmpty ? left : Expression(kind: .comparison(left, operands), position: left.position)
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        if current.kind == .symbol, let symbol = ComparisonOperator(rawValue: current.text) {
            advance()
            return symbol
        }
        if skipName("in") { return .isIn }
        guard current.isName("not"), next.isName("in") else { return nil }
        advance()
        advance()
        return .isNotIn
    }

    private mutating func sum() throws(Fault) -> Expression {
        try chain(["+", "-"]) { parser throws(Fault) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(Fault) -> Expression {
        var parts = [try product()]
        while skipSymbol("~") { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : Expression(kind: .concatenation(parts), position: parts[0].position)
    }

    private mutating func product() throws(Fault) -> Expression {
        try chain(["*", "/", "//", "%"]) { parser throws(Fault) in try parser.power() }
    }

    private mutating func power() throws(Fault) -> Expression {
        try chain(["**"]) { parser throws(Fault) in try parser.unary(allowsFilters: true) }
    }

    /// Parses operands with operators between them, of which the left ones go first.
    private mutating func chain(
        _ symbols: Set<String>,
        _ operand: (inout Parser) throws(Fault) -> Expression
    ) throws(Fault) -> Expression {
        var left = try operand(&self)
        var count = 0
        while current.kind == .symbol, symbols.contains(current.text),
            let symbol = BinaryOperator(rawValue: current.text)
        {
            try checkChain(&count)
            advance()
            left = Expression(kind: .binary(symbol, left, try operand(&self)), position: left.position)
        }
        return left
    }

    private mutating func unary(allowsFilters: Bool) throws(Fault) -> Expression {
        let start = current.position
        var value: Expression
        if skipSymbol("-") {
            let operand = try nested { p throws(Fault) in try p.unary(allowsFilters: false) }
            value = Expression(kind: .negative(operand), position: start)
        } else if skipSymbol("+") {
            let operand = try nested { p throws(Fault) in try p.unary(allowsFilters: false) }
            value = Expression(kind: .positive(operand), position: start)
        } else {
            value = try primary()
        }
        value = try postfixes(on: value)
        return allowsFilters ? try filtersAndTests(on: value) : value
    }

    /// Parses the argument of a test that stands without parentheses.
    mutating func testArgument() throws(Fault) -> Expression {
        try postfixes(on: try primary())
    }

    private mutating func primary() throws(Fault) -> Expression {
        let token = current
        func literal(_ literal: Expression.Literal) -> Expression {
            Expression(kind: .literal(literal), position: token.position)
        }
        switch token.kind {
        case .name:
            advance()
            switch token.text {
            case "true", "True": return literal(.bool(true))
            case "false", "False": return literal(.bool(false))
            case "none", "None": return literal(.none)
            default: return Expression(kind: .name(token.text), position: token.position)
            }
        case .string:
            var text = ""
            while current.kind == .string { text += advance().text }
            return literal(.string(text))
        case .integer(let value):
            advance()
            return literal(.integer(value))
        case .float(let value):
            advance()
            return literal(.float(value))
        case .symbol where token.text == "(":
            advance()
            let value = try nested { p throws(Fault) in try p.tupleOrExpression(isInParentheses: true) }
            try expectSymbol(")")
            return value
        case .symbol where token.text == "[": return try list()
        case .symbol where token.text == "{": return try dictionary()
        default: throw unexpected("an expression")
        }
    }

    private mutating func list() throws(Fault) -> Expression {
        let start = advance().position
        var elements: [Expression] = []
        while !current.isSymbol("]") {
            if !elements.isEmpty { try expectSymbol(",") }
            if current.isSymbol("]") { break }
            elements.append(try expression())
        }
        advance()
        return Expression(kind: .list(elements), position: start)
    }

    private mutating func dictionary() throws(Fault) -> Expression {
        let start = advance().position
        var members: [(key: Expression, value: Expression)] = []
        while !current.isSymbol("}") {
            if !members.isEmpty { try expectSymbol(",") }
            if current.isSymbol("}") { break }
            let key = try expression()
            try expectSymbol(":")
            members.append((key, try expression()))
        }
        advance()
        return Expression(kind: .dictionary(members), position: start)
    }
}
