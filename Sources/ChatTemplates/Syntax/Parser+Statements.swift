extension Parser {
    /// Parses a statement whose tag has been opened at `position`, up to its last word.
    mutating func statement(at position: Int) throws(Fault) -> [Statement] {
        guard current.kind == .name else { throw unexpected("the name of a statement") }
        let name = current.text
        let start = current.position
        advance()
        let kind: Statement.Kind
        switch name {
        case "if": kind = try condition()
        case "for": kind = .loop(try loop())
        case "set": kind = try assignment()
        case "with": kind = try with()
        case "filter": kind = try filterBlock()
        case "macro": kind = .macro(try macro())
        case "call": kind = try callBlock(at: start)
        case "generation":
            kind = .generation(Block(body: try outsideLoops { p throws(Fault) in try p.body(until: "endgeneration") }))
        case "break", "continue":
            guard loopDepth > 0 else { throw fault("'\(name)' stands outside of a loop", at: start) }
            kind = name == "break" ? .breakLoop : .continueLoop
        case "print": return try printing(at: position)
        case "block", "extends", "include", "import", "from", "autoescape":
            throw Fault(problem: .unsupported("the statement '\(name)'"), position: start)
        default: throw fault("there is no statement '\(name)', or not here", at: start)
        }
        return [Statement(kind: kind, position: position)]
    }

    /// Parses a body to which the loops around it do not belong.
    private mutating func outsideLoops<Result>(
        _ body: (inout Parser) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        let outer = loopDepth
        loopDepth = 0
        defer { loopDepth = outer }
        return try body(&self)
    }

    private mutating func printing(at position: Int) throws(Fault) -> [Statement] {
        var outputs: [Statement] = []
        while current.kind != .statementEnd {
            if !outputs.isEmpty { try expectSymbol(",") }
            outputs.append(Statement(kind: .output(try expression()), position: position))
        }
        return outputs
    }

    private mutating func condition() throws(Fault) -> Statement.Kind {
        var branches: [(condition: Expression, body: [Statement])] = []
        while true {
            let condition = try tupleOrExpression(allowsConditional: false)
            let (body, end) = try body(until: ["elif", "else", "endif"])
            branches.append((condition, body))
            if end == "elif" { continue }
            return .condition(branches, otherwise: end == "else" ? try self.body(until: "endif") : [])
        }
    }

    private mutating func loop() throws(Fault) -> Loop {
        let start = current.position
        let target = try assignmentTarget(endingWith: "in")
        guard !target.names.contains("loop") else {
            throw fault("'loop' is what a loop knows of itself, and cannot be its target", at: start)
        }
        try expectKeyword("in")
        let sequence = try tupleOrExpression(allowsConditional: false, endingWith: "recursive")
        let condition = skipName("if") ? try expression() : nil
        let isRecursive = skipName("recursive")
        let outerDepth = loopDepth
        loopDepth = isRecursive ? 1 : loopDepth + 1
        defer { loopDepth = outerDepth }
        let (statements, end) = try body(until: ["endfor", "else"])
        loopDepth = isRecursive ? 0 : outerDepth
        let otherwise = end == "else" ? try body(until: "endfor") : []
        return Loop(
            target: target,
            sequence: sequence,
            condition: condition,
            isRecursive: isRecursive,
            body: Block(body: statements),
            otherwise: Block(body: otherwise)
        )
    }

    private mutating func assignment() throws(Fault) -> Statement.Kind {
        let target = try assignmentTarget(allowsAttributes: true)
        if skipSymbol("=") { return .assignment(target, try tupleOrExpression()) }
        let filter = current.isSymbol("|") ? try filters(on: nil) : nil
        return .blockAssignment(target, filter: filter, Block(body: try body(until: "endset")))
    }

    private mutating func with() throws(Fault) -> Statement.Kind {
        var assignments: [(AssignmentTarget, Expression)] = []
        while current.kind != .statementEnd {
            if !assignments.isEmpty { try expectSymbol(",") }
            let target = try assignmentTarget()
            try expectSymbol("=")
            assignments.append((target, try expression()))
        }
        return .with(assignments, Block(body: try body(until: "endwith")))
    }

    private mutating func filterBlock() throws(Fault) -> Statement.Kind {
        let filter = try filters(on: nil, isInline: true)
        return .filterBlock(filter, Block(body: try body(until: "endfilter")))
    }

    private mutating func macro() throws(Fault) -> Macro {
        let start = current.position
        let name = try expectName()
        try checkAssignable(name, at: start)
        let parameters = try parameters()
        let body = try outsideLoops { parser throws(Fault) in try parser.body(until: "endmacro") }
        return Macro(name: name, parameters: parameters, block: Block(body: body))
    }

    private mutating func callBlock(at start: Int) throws(Fault) -> Statement.Kind {
        let parameters = current.isSymbol("(") ? try parameters() : []
        let call = try expression()
        guard case .call = call.kind else { throw fault("'call' needs the call of a macro", at: start) }
        let body = try outsideLoops { parser throws(Fault) in try parser.body(until: "endcall") }
        return .callBlock(call, Macro(name: "caller", parameters: parameters, block: Block(body: body)))
    }

    private mutating func parameters() throws(Fault) -> [Macro.Parameter] {
        var parameters: [Macro.Parameter] = []
        try expectSymbol("(")
        while !current.isSymbol(")") {
            if !parameters.isEmpty { try expectSymbol(",") }
            let start = current.position
            let name = try expectName()
            try checkAssignable(name, at: start)
            guard !parameters.contains(where: { $0.name == name }) else {
                throw fault("the parameter '\(name)' occurs twice", at: start)
            }
            let value = skipSymbol("=") ? try expression() : nil
            guard value != nil || parameters.last?.defaultValue == nil else {
                throw fault("a parameter without a default value follows one with such a value", at: start)
            }
            parameters.append(Macro.Parameter(name: name, defaultValue: value))
        }
        advance()
        return parameters
    }
}

extension Parser {
    /// Parses a name, or several between commas; `end` is the word that ends them.
    private mutating func assignmentTarget(
        endingWith end: String? = nil,
        allowsAttributes: Bool = false
    ) throws(Fault) -> AssignmentTarget {
        try nested { parser throws(Fault) in
            var targets: [AssignmentTarget] = []
            var isTuple = false
            repeat {
                if parser.isTupleEnd(end) { break }
                targets.append(try parser.singleTarget(allowsAttributes))
                if parser.current.isSymbol(",") { isTuple = true }
            } while parser.skipSymbol(",")
            guard let first = targets.first else { throw parser.unexpected("a name") }
            return isTuple ? .tuple(targets) : first
        }
    }

    private mutating func singleTarget(_ allowsAttributes: Bool) throws(Fault) -> AssignmentTarget {
        if skipSymbol("(") {
            let target = try assignmentTarget()
            try expectSymbol(")")
            return target
        }
        let start = current.position
        let name = try expectName()
        try checkAssignable(name, at: start)
        if allowsAttributes, skipSymbol(".") { return .attribute(of: name, name: try expectName()) }
        return .name(name)
    }

    private func checkAssignable(_ name: String, at position: Int) throws(Fault) {
        guard !["true", "false", "none", "True", "False", "None"].contains(name) else {
            throw fault("'\(name)' is a value, to which nothing can be assigned", at: position)
        }
    }

    func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .outputEnd, .statementEnd: true
        default: current.isSymbol(")") || end.map(current.isName) ?? false
        }
    }
}

extension AssignmentTarget {
    /// All plain names in it.
    var names: [String] {
        switch self {
        case .name(let name): [name]
        case .attribute: []
        case .tuple(let targets): targets.flatMap(\.names)
        }
    }
}
