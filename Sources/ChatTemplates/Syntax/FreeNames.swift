extension Expression {
    /// The expressions that it is made of.
    var parts: [Expression] {
        switch kind {
        case .literal, .name: []
        case .list(let elements), .tuple(let elements), .concatenation(let elements): elements
        case .dictionary(let members): members.flatMap { [$0.key, $0.value] }
        case .attribute(let value, _), .not(let value), .negative(let value), .positive(let value): [value]
        case .item(let value, let index): [value, index]
        case .slice(let start, let stop, let step): [start, stop, step].compactMap(\.self)
        case .call(let callee, let arguments): [callee] + arguments.parts
        case .filter(let operand, _, let arguments): [operand].compactMap(\.self) + arguments.parts
        case .test(let operand, _, let arguments): [operand] + arguments.parts
        case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right): [left, right]
        case .comparison(let left, let operands): [left] + operands.map(\.1)
        case .conditional(let condition, let value, let otherwise):
            [condition, value] + [otherwise].compactMap(\.self)
        }
    }
}

extension CallArguments {
    fileprivate var parts: [Expression] {
        positional + named.map(\.value) + [spread, namedSpread].compactMap(\.self)
    }
}

/// Which of some names statements read before they set them, wherever in them.
struct FreeNames {
    private let wanted: Set<String>
    private var found: Set<String> = []
    private var stored: Set<String> = []

    static func among(_ names: Set<String>, in statements: [Statement]) -> Set<String> {
        var search = FreeNames(wanted: names)
        search.visit(statements)
        return search.found
    }

    private init(wanted: Set<String>) { self.wanted = wanted }

    private mutating func visit(_ statements: [Statement]) {
        for statement in statements { visit(statement.kind) }
    }

    private mutating func visit(_ kind: Statement.Kind) {
        switch kind {
        case .text, .breakLoop, .continueLoop: break
        case .output(let value): visit(value)
        case .condition(let branches, let otherwise):
            for branch in branches {
                visit(branch.condition)
                visit(branch.body)
            }
            visit(otherwise)
        case .loop(let loop):
            visit(loop.target)
            visit(loop.sequence)
            visit(loop.body.body)
            visit(loop.otherwise.body)
            if let condition = loop.condition { visit(condition) }
        case .assignment(let target, let value):
            visit(target)
            visit(value)
        case .blockAssignment(let target, let filter, let body):
            visit(target)
            if let filter { visit(filter) }
            visit(body.body)
        case .with(let assignments, let body):
            for (target, _) in assignments { visit(target) }
            for (_, value) in assignments { visit(value) }
            visit(body.body)
        case .filterBlock(let filter, let body):
            visit(body.body)
            visit(filter)
        case .macro(let macro): visit(macro)
        case .callBlock(let call, let macro):
            visit(call)
            visit(macro)
        case .generation(let body): visit(body.body)
        }
    }

    private mutating func visit(_ macro: Macro) {
        for parameter in macro.parameters { store(parameter.name) }
        for parameter in macro.parameters { if let value = parameter.defaultValue { visit(value) } }
        visit(macro.block.body)
    }

    private mutating func visit(_ target: AssignmentTarget) {
        for name in target.names { store(name) }
    }

    private mutating func store(_ name: String) { stored.insert(name) }

    private mutating func visit(_ expression: Expression) {
        if case .name(let name) = expression.kind, wanted.contains(name), !stored.contains(name) { found.insert(name) }
        for part in expression.parts { visit(part) }
    }
}
