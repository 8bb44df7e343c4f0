/// The values of the names that live in one scope.
final class Scope {
    private var values: [String: Value?] = [:]
    private let parent: Scope?

    init(_ plan: ScopePlan, inside parent: Scope?, of interpreter: Interpreter) {
        self.parent = parent
        for (name, beginning) in plan.names {
            let value: Value? =
                switch beginning {
                case .parameter, .undefined: nil
                case .variable: interpreter.variables[name] ?? Globals.value(name, of: interpreter)
                case .outer: parent?.knownValue(of: name)
                }
            values.updateValue(value, forKey: name)
        }
    }

    private func knownValue(of name: String) -> Value? {
        if let value = values[name] { return value }
        return parent?.knownValue(of: name)
    }

    func value(of name: String) -> Value { knownValue(of: name) ?? .because("'\(name)' is undefined") }

    func isSet(_ name: String) -> Bool { knownValue(of: name) != nil }

    func set(_ name: String, _ value: Value) { values.updateValue(value, forKey: name) }

    func clear() { values = [:] }
}
