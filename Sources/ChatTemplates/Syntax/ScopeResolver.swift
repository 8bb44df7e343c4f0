/// Walks a template and writes into each of its blocks the plan of its scope.
struct ScopeResolver {
    private let scope: ScopeAnalysis
    /// Whether the place may never be reached, so that what does not exist there is an error only when it is.
    private let isConditional: Bool

    /// The statements with the plans of their blocks, and the plan of the whole.
    static func resolve(_ statements: [Statement]) throws(Fault) -> Block {
        let resolver = ScopeResolver(scope: ScopeAnalysis(), isConditional: false)
        return try resolver.block(Block(body: statements), in: resolver.scope)
    }

    private func inner(_ scope: ScopeAnalysis) -> ScopeResolver { ScopeResolver(scope: scope, isConditional: false) }

    private var soft: ScopeResolver { ScopeResolver(scope: scope, isConditional: true) }

    /// Names of a scope are gathered from all of its statements before its inner scopes are looked at, which may read any of them.
    private func block(_ block: Block, in scope: ScopeAnalysis) throws(Fault) -> Block {
        let resolver = ScopeResolver(scope: scope, isConditional: isConditional)
        for statement in block.body { try resolver.gather(statement) }
        var result = Block(body: try resolver.resolved(block.body))
        result.scope = scope.plan
        return result
    }

    private func resolved(_ statements: [Statement]) throws(Fault) -> [Statement] {
        try statements.map { (statement) throws(Fault) in
            Statement(kind: try resolved(statement.kind), position: statement.position)
        }
    }

    private func resolved(_ kind: Statement.Kind) throws(Fault) -> Statement.Kind {
        switch kind {
        case .text, .output, .assignment, .breakLoop, .continueLoop: return kind
        case .condition(let branches, let otherwise):
            let branches = try branches.map { (branch) throws(Fault) in
                (condition: branch.condition, body: try soft.resolved(branch.body))
            }
            return .condition(branches, otherwise: try soft.resolved(otherwise))
        case .loop(let loop): return .loop(try resolved(loop))
        case .blockAssignment(let target, let filter, let body):
            let scope = ScopeAnalysis(inside: scope)
            if let filter { try inner(scope).gather(filter) }
            return .blockAssignment(target, filter: filter, try inner(scope).block(body, in: scope))
        case .with(let assignments, let body):
            let scope = ScopeAnalysis(inside: scope)
            for (target, _) in assignments { target.names.forEach(scope.declareParameter) }
            return .with(assignments, try inner(scope).block(body, in: scope))
        case .filterBlock(let filter, let body):
            let scope = ScopeAnalysis(inside: scope)
            try inner(scope).gather(filter)
            return .filterBlock(filter, try inner(scope).block(body, in: scope))
        case .macro(let macro): return .macro(try resolved(macro))
        case .callBlock(let call, let macro): return .callBlock(call, try resolved(macro))
        case .generation(let body):
            let scope = ScopeAnalysis(inside: scope)
            return .generation(try inner(scope).block(body, in: scope))
        }
    }

    private func resolved(_ loop: Loop) throws(Fault) -> Loop {
        var loop = loop
        let names = loop.target.names
        let bodyScope = ScopeAnalysis(inside: scope)
        (names + ["loop"]).forEach(bodyScope.declareParameter)
        let otherwiseScope = ScopeAnalysis(inside: scope)
        let conditionScope = ScopeAnalysis(inside: scope)
        names.forEach(conditionScope.declareParameter)
        if let condition = loop.condition { try inner(conditionScope).gather(condition) }
        loop.conditionScope = conditionScope.plan
        loop.body = try inner(bodyScope).block(loop.body, in: bodyScope)
        loop.otherwise = try inner(otherwiseScope).block(loop.otherwise, in: otherwiseScope)
        return loop
    }

    private func resolved(_ macro: Macro) throws(Fault) -> Macro {
        var macro = macro
        let scope = ScopeAnalysis(inside: scope)
        for parameter in macro.parameters { scope.declareParameter(parameter.name) }
        for parameter in macro.parameters {
            if let value = parameter.defaultValue { try inner(scope).gather(value) }
        }
        let names = Set(macro.parameters.map(\.name))
        macro.specialNames = FreeNames.among(["caller", "kwargs", "varargs"], in: macro.block.body)
        if names.contains("caller"), macro.specialNames.contains("caller"),
            macro.parameters.contains(where: { $0.name == "caller" && $0.defaultValue == nil })
        {
            throw .evaluation("the parameter 'caller' of a macro needs a default value")
        }
        macro.specialNames.subtract(names)
        macro.specialNames.forEach(scope.declareParameter)
        macro.block = try inner(scope).block(macro.block, in: scope)
        return macro
    }
}

extension ScopeResolver {
    /// Notes the names that a statement reads and sets in its own scope.
    private func gather(_ statement: Statement) throws(Fault) {
        switch statement.kind {
        case .text, .breakLoop, .continueLoop, .generation: break
        case .output(let value): try gather(value)
        case .condition(let branches, let otherwise): try gather(branches[...], otherwise)
        case .loop(let loop): try gather(loop.sequence)
        case .assignment(let target, let value):
            try gather(value)
            gather(target)
        case .blockAssignment(let target, _, _): gather(target)
        case .with(let assignments, _): for (_, value) in assignments { try gather(value) }
        // Its arguments are the block's.
        case .filterBlock(let filter, _): try gather(filter)
        case .macro(let macro): scope.store(macro.name)
        case .callBlock(let call, _): try gather(call)
        }
    }

    private func gather(
        _ branches: ArraySlice<(condition: Expression, body: [Statement])>,
        _ otherwise: [Statement]
    ) throws(Fault) {
        guard let first = branches.first else { return }
        let soft = soft
        try soft.gather(first.condition)
        try scope.visitBranches(3) { (branch) throws(Fault) in
            switch branch {
            case 0: for statement in first.body { try soft.gather(statement) }
            case 1: for branch in branches.dropFirst() { try soft.gather([branch][...], []) }
            default: for statement in otherwise { try soft.gather(statement) }
            }
        }
    }

    private func gather(_ target: AssignmentTarget) {
        switch target {
        case .name(let name): scope.store(name)
        case .attribute(let object, _): scope.load(object)
        case .tuple(let targets): targets.forEach(gather)
        }
    }

    private func gather(_ expression: Expression) throws(Fault) {
        switch expression.kind {
        case .name(let name): scope.load(name)
        case .filter(_, let name, _):
            if !isConditional, !Filters.exist(name) { throw Filters.unknown(name).at(expression.position) }
        case .test(_, let name, _):
            if !isConditional, !Tests.exist(name) { throw Tests.unknown(name).at(expression.position) }
        case .conditional:
            for part in expression.parts { try soft.gather(part) }
            return
        default: break
        }
        for part in expression.parts { try gather(part) }
    }
}
