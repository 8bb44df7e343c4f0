extension Interpreter {
    /// What an expression gives; a fault in it is told with its place.
    func value(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        try step()
        do throws(Fault) {
            return try value(expression.kind, scope)
        } catch {
            throw error.at(expression.position)
        }
    }

    private func value(_ kind: Expression.Kind, _ scope: Scope) throws(Fault) -> Value {
        switch kind {
        case .literal(let literal): return Value(literal)
        case .name(let name): return scope.value(of: name)
        case .attribute(let object, let name): return try value(object, scope).attribute(name)
        case .item(let object, let index): return try item(of: try value(object, scope), index, scope)
        case .call(let callee, let arguments):
            return try call(try value(callee, scope), try self.arguments(arguments, scope))
        case .filter(let operand, let name, let arguments):
            let operand = try operand.map { (operand) throws(Fault) in try value(operand, scope) } ?? .text("")
            return try Filters.apply(name, operand, try self.arguments(arguments, scope), self)
        case .test(let operand, let name, let arguments):
            return .bool(try Tests.hold(name, try value(operand, scope), try self.arguments(arguments, scope)))
        case .and(let left, let right):
            let left = try value(left, scope)
            return try left.isTrue() ? try value(right, scope) : left
        case .or(let left, let right):
            let left = try value(left, scope)
            return try left.isTrue() ? left : try value(right, scope)
        case .conditional(let condition, let then, let otherwise):
            if try value(condition, scope).isTrue() { return try value(then, scope) }
            return try otherwise.map { (otherwise) throws(Fault) in try value(otherwise, scope) }
                ?? .because("the condition of an inline 'if' without an 'else' is false")
        default: return try operation(kind, scope)
        }
    }

    private func operation(_ kind: Expression.Kind, _ scope: Scope) throws(Fault) -> Value {
        switch kind {
        case .list(let elements): return try .list(of: values(elements, scope))
        case .tuple(let elements): return try .tuple(of: values(elements, scope))
        case .dictionary(let members):
            var builder = ValueDictionary.Builder()
            for (key, value) in members { try builder.set(try self.value(key, scope), try self.value(value, scope)) }
            return .dictionary(try builder.dictionary())
        case .not(let operand): return .bool(try !value(operand, scope).isTrue())
        case .negative(let operand): return try value(operand, scope).negated()
        case .positive(let operand): return try value(operand, scope).posited()
        case .binary(let symbol, let left, let right):
            return try value(left, scope).combined(symbol, try value(right, scope))
        case .concatenation(let parts):
            var text = ""
            for value in try values(parts, scope) {
                text += try value.printed()
                try Limits.check(textBytes: text.utf8.count)
            }
            return .text(text)
        case .comparison(let left, let operands): return .bool(try compare(try value(left, scope), operands, scope))
        case .slice: throw .evaluation("a slice is no value")
        default: throw .evaluation("the expression has no value")
        }
    }

    private func values(_ expressions: [Expression], _ scope: Scope) throws(Fault) -> [Value] {
        try expressions.map { (expression) throws(Fault) in try value(expression, scope) }
    }

    private func compare(
        _ left: Value,
        _ operands: [(ComparisonOperator, Expression)],
        _ scope: Scope
    ) throws(Fault) -> Bool {
        var left = left
        for (symbol, expression) in operands {
            let right = try value(expression, scope)
            let holds: Bool
            switch symbol {
            case .equal: holds = try left.equals(right)
            case .notEqual: holds = try !left.equals(right)
            case .isIn: holds = try right.contains(left)
            case .isNotIn: holds = try !right.contains(left)
            default: holds = try left.isOrdered(symbol, right)
            }
            guard holds else { return false }
            left = right
        }
        return true
    }

    private func item(of object: Value, _ index: Expression, _ scope: Scope) throws(Fault) -> Value {
        guard case .slice(let start, let stop, let step) = index.kind else {
            return try object.subscripted(try value(index, scope))
        }
        func bound(_ expression: Expression?) throws(Fault) -> Value {
            try expression.map { (expression) throws(Fault) in try value(expression, scope) } ?? .none
        }
        return try object.sliced(try bound(start), try bound(stop), try bound(step))
    }

    func arguments(_ arguments: CallArguments, _ scope: Scope) throws(Fault) -> Arguments {
        var result = Arguments(positional: try values(arguments.positional, scope))
        for (name, expression) in arguments.named { result.named.append((name, try value(expression, scope))) }
        if let spread = arguments.spread { result.positional += try value(spread, scope).elements() }
        guard let spread = arguments.namedSpread else { return result }
        guard case .dictionary(let dictionary) = try value(spread, scope) else {
            throw .evaluation("what stands behind '**' must be a dictionary")
        }
        for (key, value) in zip(dictionary.keys, dictionary.values) {
            guard case .string(let name) = key else { throw .evaluation("an argument's name must be a string") }
            guard !result.named.contains(where: { $0.name == name.string }) else {
                throw .evaluation("the argument '\(name.string)' is given twice")
            }
            result.named.append((name.string, value))
        }
        return result
    }

    func call(_ callee: Value, _ arguments: Arguments) throws(Fault) -> Value {
        switch callee {
        case .undefined(let undefined): throw undefined.fault
        case .object(let object): return try object.call(arguments)
        default: throw .evaluation("a value of type '\(callee.typeName)' cannot be called")
        }
    }

    /// Applies the filters of a block to its text.
    func filtered(_ filter: Expression, _ text: Value, _ scope: Scope) throws(Fault) -> Value {
        guard case .filter(let operand, let name, let arguments) = filter.kind else { return text }
        let input = try operand.map { (operand) throws(Fault) in try filtered(operand, text, scope) } ?? text
        do throws(Fault) {
            return try Filters.apply(name, input, try self.arguments(arguments, scope), self)
        } catch {
            throw error.at(filter.position)
        }
    }
}
