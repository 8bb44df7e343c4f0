/// A macro that has been defined, or the body of a call block, which its callee knows as `caller`.
final class MacroObject: TemplateObject {
    private let macro: Macro
    private let scope: Scope
    private unowned let interpreter: Interpreter

    init(_ macro: Macro, _ scope: Scope, _ interpreter: Interpreter) {
        self.macro = macro
        self.scope = scope
        self.interpreter = interpreter
        // The scope will hold the macro, and the macro holds the scope.
        interpreter.keep(scope)
    }

    var typeName: String { "Macro" }
    var isCallable: Bool { true }

    func text(depth: Int) throws(Fault) -> String { "<Macro \(macro.name.quotedByPython)>" }

    func attribute(_ name: String) throws(Fault) -> Value? {
        switch name {
        case "name": return .text(macro.name)
        case "arguments": return try .tuple(of: macro.parameters.map { .text($0.name) })
        case "caller": return .bool(macro.specialNames.contains("caller"))
        case "catch_kwargs": return .bool(macro.specialNames.contains("kwargs"))
        case "catch_varargs": return .bool(macro.specialNames.contains("varargs"))
        default: return nil
        }
    }

    func call(_ arguments: Arguments) throws(Fault) -> Value {
        try interpreter.calling { () throws(Fault) in
            let inner = Scope(macro.block.scope, inside: scope, of: interpreter)
            try bind(arguments, inner)
            return .text(
                try interpreter.captured { () throws(Fault) in try interpreter.run(macro.block.body, inner) }.text
            )
        }
    }

    private func bind(_ arguments: Arguments, _ inner: Scope) throws(Fault) {
        var named = arguments.named
        func take(_ name: String) -> Value? {
            guard let position = named.firstIndex(where: { $0.name == name }) else { return nil }
            return named.remove(at: position).value
        }
        var missing: [Macro.Parameter] = []
        for (position, parameter) in macro.parameters.enumerated() {
            let isPositional = position < arguments.positional.count
            if let value = isPositional ? arguments.positional[position] : take(parameter.name) {
                inner.set(parameter.name, value)
            } else {
                missing.append(parameter)
            }
        }
        if macro.specialNames.contains("caller") {
            inner.set("caller", take("caller") ?? .because("no caller is defined"))
        }
        try bindRest(arguments.positional.dropFirst(macro.parameters.count), named, inner)
        for parameter in missing {
            let value = try parameter.defaultValue.map { (value) throws(Fault) in try interpreter.value(value, inner) }
            inner.set(parameter.name, value ?? .because("the parameter '\(parameter.name)' was not given"))
        }
    }

    private func bindRest(
        _ positional: ArraySlice<Value>,
        _ named: [(name: String, value: Value)],
        _ inner: Scope
    ) throws(Fault) {
        if macro.specialNames.contains("kwargs") {
            var builder = ValueDictionary.Builder()
            for (name, value) in named { builder.setText(name, value) }
            inner.set("kwargs", .dictionary(try builder.dictionary()))
        } else if let first = named.first {
            throw .evaluation("the macro '\(macro.name)' takes no argument named '\(first.name)'")
        }
        if macro.specialNames.contains("varargs") {
            inner.set("varargs", try .tuple(of: Array(positional)))
        } else if !positional.isEmpty {
            throw .evaluation("the macro '\(macro.name)' takes \(macro.parameters.count) arguments at most")
        }
    }
}
