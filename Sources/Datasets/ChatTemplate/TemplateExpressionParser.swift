import JSONText

/// The words of one tag, from which its expressions are built.
struct TemplateWords {
    private static let depthLimit = 100

    let line: Int
    private let words: [TemplateWord]
    private var position = 0
    private var depth = 0

    init(_ words: [TemplateWord], line: Int) {
        self.words = words
        self.line = line
    }

    private var current: TemplateWord? { position < words.count ? words[position] : nil }

    mutating func take(_ symbol: String) -> Bool { take(.symbol(symbol)) }

    mutating func take(name: String) -> Bool { take(.name(name)) }

    private mutating func take(_ word: TemplateWord) -> Bool {
        guard current == word else { return false }
        position += 1
        return true
    }

    private mutating func takeAny(of symbols: [String]) -> String? {
        guard case .symbol(let symbol)? = current, symbols.contains(symbol) else { return nil }
        position += 1
        return symbol
    }

    mutating func name() throws(ChatTemplateError) -> String {
        guard case .name(let name)? = current else { throw syntax("a name is missing") }
        position += 1
        return name
    }

    func syntax(_ reason: String) -> ChatTemplateError { ChatTemplateError(line: line, problem: .syntax(reason)) }

    func unsupported(_ construct: String) -> ChatTemplateError {
        ChatTemplateError(line: line, problem: .unsupported(construct))
    }

    private mutating func expect(_ symbol: String) throws(ChatTemplateError) {
        guard take(symbol) else { throw syntax("'\(symbol)' is missing") }
    }

    func finish() throws(ChatTemplateError) {
        guard position == words.count else { throw syntax("the tag goes on behind its expression") }
    }

    mutating func wholeExpression() throws(ChatTemplateError) -> TemplateExpression {
        let expression = try expression()
        try finish()
        return expression
    }

    mutating func expression() throws(ChatTemplateError) -> TemplateExpression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw syntax("more than \(Self.depthLimit) expressions are nested") }
        let value = try disjunction()
        guard take(name: "if") else { return value }
        let test = try disjunction()
        let otherwise = take(name: "else") ? try expression() : nil
        return .conditional(test, then: value, otherwise: otherwise)
    }

    mutating func disjunction() throws(ChatTemplateError) -> TemplateExpression {
        var left = try conjunction()
        while take(name: "or") { left = .binary("or", left, try conjunction()) }
        return left
    }

    private mutating func conjunction() throws(ChatTemplateError) -> TemplateExpression {
        var left = try negation()
        while take(name: "and") { left = .binary("and", left, try negation()) }
        return left
    }

    private mutating func negation() throws(ChatTemplateError) -> TemplateExpression {
        var isNegated = false
        while take(name: "not") { isNegated.toggle() }
        let value = try comparison()
        return isNegated ? .not(value) : value
    }

    /// Comparisons; a chain of them means that each of its links holds.
    private mutating func comparison() throws(ChatTemplateError) -> TemplateExpression {
        var left = try sum()
        var chain: TemplateExpression?
        while let symbol = takeComparison() {
            let right = try sum()
            let link =
                symbol == "not in"
                ? TemplateExpression.not(.binary("in", left, right)) : .binary(symbol, left, right)
            chain = chain.map { .binary("and", $0, link) } ?? link
            left = right
        }
        return chain ?? left
    }

    private mutating func takeComparison() -> String? {
        if let symbol = takeAny(of: ["==", "!=", "<=", ">=", "<", ">"]) { return symbol }
        if take(name: "in") { return "in" }
        guard current == .name("not"), position + 1 < words.count, words[position + 1] == .name("in") else {
            return nil
        }
        position += 2
        return "not in"
    }

    private mutating func sum() throws(ChatTemplateError) -> TemplateExpression {
        var left = try concatenation()
        while let symbol = takeAny(of: ["+", "-"]) { left = .binary(symbol, left, try concatenation()) }
        return left
    }

    private mutating func concatenation() throws(ChatTemplateError) -> TemplateExpression {
        var left = try product()
        while take("~") { left = .binary("~", left, try product()) }
        return left
    }

    private mutating func product() throws(ChatTemplateError) -> TemplateExpression {
        var left = try unary()
        while let symbol = takeAny(of: ["*", "/", "//", "%", "**"]) { left = .binary(symbol, left, try unary()) }
        return left
    }

    private mutating func unary() throws(ChatTemplateError) -> TemplateExpression {
        var isNegative = false
        while let symbol = takeAny(of: ["+", "-"]) { isNegative = isNegative != (symbol == "-") }
        let value = try suffixes(of: primary())
        return isNegative ? .negative(value) : value
    }
}

extension TemplateWords {
    private mutating func primary() throws(ChatTemplateError) -> TemplateExpression {
        guard let word = current else { throw syntax("an expression ends too early") }
        position += 1
        switch word {
        case .string(var text):
            while case .string(let more)? = current {
                text += more
                position += 1
            }
            return .literal(.string(text))
        case .integer(let value): return .literal(.integer(value))
        case .number(let value): return .literal(.number(value))
        case .name("true"), .name("True"): return .literal(.bool(true))
        case .name("false"), .name("False"): return .literal(.bool(false))
        case .name("none"), .name("None"): return .literal(.null)
        case .name(let name): return .name(name)
        case .symbol("("):
            let value = try expression()
            guard !take(",") else { throw unsupported("a tuple") }
            try expect(")")
            return value
        case .symbol("["): return .list(try expressions(until: "]"))
        case .symbol("{"): throw unsupported("a dictionary")
        case .symbol(let symbol): throw syntax("a value is missing in front of '\(symbol)'")
        }
    }

    private mutating func expressions(until end: String) throws(ChatTemplateError) -> [TemplateExpression] {
        var elements: [TemplateExpression] = []
        while !take(end) {
            elements.append(try expression())
            if !take(",") {
                try expect(end)
                break
            }
        }
        return elements
    }

    private mutating func suffixes(of primary: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var value = primary
        while true {
            if take(".") {
                value = .member(value, .literal(try memberName()))
            } else if take("[") {
                value = try subscripted(value)
            } else if take("(") {
                value = .call(value, try arguments())
            } else if take("|") {
                value = .filter(try dottedName(), value, take("(") ? try arguments() : TemplateArguments())
            } else if take(name: "is") {
                let isNegated = take(name: "not")
                let test = TemplateExpression.test(try name(), value, try testArguments())
                value = isNegated ? .not(test) : test
            } else {
                return value
            }
        }
    }

    private mutating func memberName() throws(ChatTemplateError) -> JSON {
        if case .integer(let index)? = current {
            position += 1
            return .integer(index)
        }
        return .string(try name())
    }

    private mutating func dottedName() throws(ChatTemplateError) -> String {
        var text = try name()
        while take(".") { text += "." + (try name()) }
        return text
    }

    private mutating func subscripted(_ value: TemplateExpression) throws(ChatTemplateError) -> TemplateExpression {
        var parts: [TemplateExpression?] = [nil]
        while !take("]") {
            if take(":") {
                parts.append(nil)
            } else {
                guard parts[parts.count - 1] == nil else { throw syntax("']' is missing") }
                parts[parts.count - 1] = try expression()
            }
        }
        switch (parts.count, parts[0]) {
        case (1, let index?): return .member(value, index)
        case (2, _): return .slice(value, from: parts[0], to: parts[1], by: nil)
        case (3, _): return .slice(value, from: parts[0], to: parts[1], by: parts[2])
        default: throw syntax("what stands between brackets is no place")
        }
    }

    private mutating func arguments() throws(ChatTemplateError) -> TemplateArguments {
        var arguments = TemplateArguments()
        while !take(")") {
            if case .name(let name)? = current, position + 1 < words.count, words[position + 1] == .symbol("=") {
                position += 2
                arguments.named.append((name, try expression()))
            } else {
                arguments.positional.append(try expression())
            }
            if !take(",") {
                try expect(")")
                break
            }
        }
        return arguments
    }

    /// A test takes its argument in parentheses, or one simple value without them.
    private mutating func testArguments() throws(ChatTemplateError) -> TemplateArguments {
        if take("(") { return try arguments() }
        switch current {
        case .string, .integer, .number: return TemplateArguments(positional: [try primary()])
        default: return TemplateArguments()
        }
    }
}
