/// What a statement asks of the loop around it.
enum Flow {
    case normal
    case breakLoop
    case continueLoop
}

/// Runs a template once.
final class Interpreter {
    /// What has been written; blocks whose text is taken as a value write into a text of their own.
    var output = ""
    /// Where the assistant's stretches lie in the output, in UTF-8 bytes, and how deep blocks with a text of their own are.
    private(set) var generations: [Range<Int>] = []
    private var captureDepth = 0
    private let tracksGenerations: Bool
    private var steps = 0
    private var callDepth = 0
    let variables: [String: Value]
    let now: TemplateClock
    /// What may hold itself, to be let go at the end.
    private var namespaces: [Namespace] = []
    private var scopes: [Scope] = []

    init(variables: [String: Value], now: TemplateClock, tracksGenerations: Bool) {
        self.variables = variables
        self.now = now
        self.tracksGenerations = tracksGenerations
    }

    func run(_ template: Block) throws(Fault) {
        defer {
            for namespace in namespaces { namespace.clear() }
            for scope in scopes { scope.clear() }
        }
        _ = try run(template.body, Scope(template.scope, inside: nil, of: self))
    }

    func keep(_ namespace: Namespace) { namespaces.append(namespace) }

    func step() throws(Fault) {
        steps += 1
        guard steps <= Limits.steps else { throw .limit("more than \(Limits.steps) steps are taken") }
    }

    func write(_ text: String) throws(Fault) {
        try Limits.check(textBytes: output.utf8.count + text.utf8.count)
        output += text
    }

    /// The text that `body` writes.
    func captured(_ body: () throws(Fault) -> Flow) throws(Fault) -> (text: String, flow: Flow) {
        var outer = ""
        swap(&outer, &output)
        captureDepth += 1
        defer {
            captureDepth -= 1
            swap(&outer, &output)
        }
        let flow = try body()
        return (output, flow)
    }

    func calling<Result>(_ body: () throws(Fault) -> Result) throws(Fault) -> Result {
        guard callDepth < Limits.calls else {
            throw .limit("more than \(Limits.calls) macros or loops call each other")
        }
        callDepth += 1
        defer { callDepth -= 1 }
        return try body()
    }

    func run(_ statements: [Statement], _ scope: Scope) throws(Fault) -> Flow {
        for statement in statements {
            try step()
            do throws(Fault) {
                let flow = try run(statement.kind, scope)
                if flow != .normal { return flow }
            } catch {
                throw error.at(statement.position)
            }
        }
        return .normal
    }

    func run(_ block: Block, inside scope: Scope) throws(Fault) -> Flow {
        try run(block.body, Scope(block.scope, inside: scope, of: self))
    }
}

extension Interpreter {
    private func run(_ statement: Statement.Kind, _ scope: Scope) throws(Fault) -> Flow {
        switch statement {
        case .text(let text): try write(text)
        case .output(let expression): try write(try value(expression, scope).printed())
        case .condition(let branches, let otherwise):
            for branch in branches where try value(branch.condition, scope).isTrue() {
                return try run(branch.body, scope)
            }
            return try run(otherwise, scope)
        case .loop(let loop): return try run(loop, scope)
        case .assignment(let target, let expression): try assign(try value(expression, scope), to: target, scope)
        case .blockAssignment(let target, let filter, let block):
            return try assign(block, to: target, through: filter, scope)
        case .with(let assignments, let block):
            let inner = Scope(block.scope, inside: scope, of: self)
            for (target, expression) in assignments { try assign(try value(expression, scope), to: target, inner) }
            return try run(block.body, inner)
        case .filterBlock(let filter, let block):
            let inner = Scope(block.scope, inside: scope, of: self)
            let (text, flow) = try captured { () throws(Fault) in try run(block.body, inner) }
            guard flow == .normal else { return flow }
            guard case .string(let result) = try filtered(filter, .text(text), inner) else {
                throw .evaluation("the filter of a block must give a string")
            }
            try write(result.string)
        case .macro(let macro): scope.set(macro.name, .object(MacroObject(macro, scope, self)))
        case .callBlock(let call, let macro): try run(call, caller: macro, scope)
        case .generation(let block): try runGeneration(block, scope)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    private func assign(
        _ block: Block,
        to target: AssignmentTarget,
        through filter: Expression?,
        _ scope: Scope
    ) throws(Fault) -> Flow {
        let inner = Scope(block.scope, inside: scope, of: self)
        let (text, flow) = try captured { () throws(Fault) in try run(block.body, inner) }
        guard flow == .normal else { return flow }
        try assign(
            try filter.map { (filter) throws(Fault) in try filtered(filter, .text(text), inner) } ?? .text(text),
            to: target,
            scope
        )
        return .normal
    }

    private func run(_ call: Expression, caller macro: Macro, _ scope: Scope) throws(Fault) {
        guard case .call(let callee, let arguments) = call.kind else { return }
        var values = try self.arguments(arguments, scope)
        values.named.append(("caller", .object(MacroObject(macro, scope, self))))
        do throws(Fault) {
            try write(try self.call(try value(callee, scope), values).printed())
        } catch {
            throw error.at(call.position)
        }
    }

    private func runGeneration(_ block: Block, _ scope: Scope) throws(Fault) {
        guard !tracksGenerations || captureDepth == 0 else {
            throw .unsupported("a generation block whose text is not written where it stands")
        }
        let start = output.utf8.count
        captureDepth += 1
        defer { captureDepth -= 1 }
        _ = try run(block, inside: scope)
        if tracksGenerations { generations.append(start..<output.utf8.count) }
    }

    /// Sets names, or the attribute of a namespace.
    func assign(_ value: Value, to target: AssignmentTarget, _ scope: Scope) throws(Fault) {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .object(let object) = scope.value(of: name), let namespace = object as? Namespace else {
                throw .evaluation("'\(name)' is no namespace, so nothing can be assigned to its attributes")
            }
            try namespace.set(attribute, value)
        case .tuple(let targets):
            let elements = try value.elements()
            guard elements.count == targets.count else {
                throw .evaluation("\(targets.count) names are to be set, but there are \(elements.count) values")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target, scope) }
        }
    }

    func keep(_ scope: Scope) { scopes.append(scope) }
}
