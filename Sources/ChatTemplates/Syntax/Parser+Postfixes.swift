extension Parser {
    /// Parses attributes, items and calls behind a value.
    mutating func postfixes(on value: Expression) throws(Fault) -> Expression {
        var value = value
        var count = 0
        while current.kind == .symbol {
            switch current.text {
            case ".": value = try attribute(of: value)
            case "[": value = try item(of: value)
            case "(": value = try call(of: value)
            default: return value
            }
            count += 1
            guard count <= Limits.syntaxDepth else { throw fault("too many attributes and calls make one chain") }
        }
        return value
    }

    private mutating func attribute(of value: Expression) throws(Fault) -> Expression {
        let position = advance().position
        let token = advance()
        switch token.kind {
        case .name: return Expression(kind: .attribute(value, token.text), position: position)
        case .integer(let index):
            let index = Expression(kind: .literal(.integer(index)), position: token.position)
            return Expression(kind: .item(value, index), position: position)
        default: throw fault("expected a name or number behind the dot", at: token.position)
        }
    }

    private mutating func item(of value: Expression) throws(Fault) -> Expression {
        let position = advance().position
        var indices: [Expression] = []
        while !current.isSymbol("]") {
            if !indices.isEmpty { try expectSymbol(",") }
            indices.append(try index())
        }
        advance()
        let isSingle = indices.count == 1
        let index = isSingle ? indices[0] : Expression(kind: .tuple(indices), position: position)
        return Expression(kind: .item(value, index), position: position)
    }

    private mutating func index() throws(Fault) -> Expression {
        let position = current.position
        let start = current.isSymbol(":") ? nil : try expression()
        guard skipSymbol(":") else { return start ?? Expression(kind: .literal(.none), position: position) }
        let stop = try sliceBound()
        let step = skipSymbol(":") ? try sliceBound() : nil
        return Expression(kind: .slice(start: start, stop: stop, step: step), position: position)
    }

    private mutating func sliceBound() throws(Fault) -> Expression? {
        current.isSymbol(":") || current.isSymbol("]") || current.isSymbol(",") ? nil : try expression()
    }

    private mutating func call(of value: Expression) throws(Fault) -> Expression {
        let position = current.position
        return Expression(kind: .call(value, try arguments()), position: position)
    }

    /// Parses what stands in the parentheses of a call.
    private mutating func arguments() throws(Fault) -> CallArguments {
        let start = current.position
        try expectSymbol("(")
        var arguments = CallArguments()
        var isFirst = true
        func ensure(_ isAllowed: Bool) throws(Fault) {
            if !isAllowed { throw fault("the arguments of this call are in no order that is allowed", at: start) }
        }
        while !current.isSymbol(")") {
            if !isFirst {
                try expectSymbol(",")
                if current.isSymbol(")") { break }
            }
            isFirst = false
            if skipSymbol("*") {
                try ensure(arguments.spread == nil && arguments.namedSpread == nil)
                arguments.spread = try expression()
            } else if skipSymbol("**") {
                try ensure(arguments.namedSpread == nil)
                arguments.namedSpread = try expression()
            } else if current.kind == .name, next.isSymbol("=") {
                try ensure(arguments.namedSpread == nil)
                let name = advance().text
                advance()
                try ensure(!arguments.named.contains { $0.name == name })
                arguments.named.append((name, try expression()))
            } else {
                try ensure(arguments.spread == nil && arguments.namedSpread == nil && arguments.named.isEmpty)
                arguments.positional.append(try expression())
            }
        }
        advance()
        return arguments
    }

    /// Parses the filters and tests behind a value.
    mutating func filtersAndTests(on value: Expression) throws(Fault) -> Expression {
        var value = value
        var count = 0
        while true {
            if current.isSymbol("|") {
                value = try filters(on: value)
            } else if current.isName("is") {
                value = try test(of: value)
            } else if current.isSymbol("(") {
                value = try call(of: value)
            } else {
                return value
            }
            count += 1
            guard count <= Limits.syntaxDepth else { throw fault("too many filters and tests make one chain") }
        }
    }

    /// Parses one or more filters; the first one of a filter block stands without its bar.
    mutating func filters(on value: Expression?, isInline: Bool = false) throws(Fault) -> Expression {
        var value = value
        var needsBar = !isInline
        var count = 0
        while !needsBar || current.isSymbol("|") {
            if needsBar { advance() }
            needsBar = true
            let position = current.position
            let name = try dottedName()
            let arguments = current.isSymbol("(") ? try arguments() : CallArguments()
            value = Expression(kind: .filter(value, name: name, arguments), position: position)
            count += 1
            guard count <= Limits.syntaxDepth else { throw fault("too many filters make one chain") }
        }
        guard let value else { throw unexpected("a filter") }
        return value
    }

    private mutating func dottedName() throws(Fault) -> String {
        var name = try expectName()
        while skipSymbol(".") { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(of value: Expression) throws(Fault) -> Expression {
        let position = advance().position
        let isNegated = skipName("not")
        let name = try dottedName()
        var arguments = CallArguments()
        if current.isSymbol("(") {
            arguments = try self.arguments()
        } else if try startsTestArgument() {
            let argument = try nested { p throws(Fault) in try p.testArgument() }
            arguments.positional = [argument]
        }
        let test = Expression(kind: .test(value, name: name, arguments), position: position)
        return isNegated ? Expression(kind: .not(test), position: position) : test
    }

    /// Whether a test has an argument without parentheses.
    private func startsTestArgument() throws(Fault) -> Bool {
        switch current.kind {
        case .string, .integer, .float: return true
        case .symbol: return current.isSymbol("[") || current.isSymbol("{")
        case .name:
            if current.isName("is") { throw fault("tests cannot be chained with 'is'") }
            return !["else", "or", "and"].contains(current.text)
        default: return false
        }
    }
}
