import JSONText

extension TemplateRenderer {
    func value(_ expression: TemplateExpression) throws(ChatTemplateError) -> TemplateValue {
        switch expression {
        case .literal(let json): return .data(json)
        case .name(let name): return lookUp(name) ?? .undefined("'\(name)'")
        case .list(let elements):
            return .data(.array(try elements.map { (element) throws(ChatTemplateError) in try data(element) }))
        case .member(let object, let key): return try member(value(object), data(key))
        case .slice(let list, let from, let to, let by):
            return try slice(data(list), from.map(data), to.map(data), by.map(data))
        case .call(let function, let arguments): return try call(function, arguments)
        case .filter(let name, let input, let arguments): return try filtered(value(input), by: name, arguments)
        case .test(let name, let input, let arguments): return .data(.bool(try holds(name, value(input), arguments)))
        case .not(let operand): return .data(.bool(try !value(operand).isTrue))
        case .negative(let operand): return try arithmetic("-", .integer(0), data(operand))
        case .binary(let symbol, let left, let right): return try binary(symbol, left, right)
        case .conditional(let test, let then, let otherwise):
            if try value(test).isTrue { return try value(then) }
            return try otherwise.map(value) ?? .undefined("the value of an 'if' without 'else'")
        }
    }

    /// The value of an expression that must be there.
    func data(_ expression: TemplateExpression) throws(ChatTemplateError) -> JSON {
        switch try value(expression) {
        case .data(let json): return json
        case .undefined(let name): throw evaluation("\(name) is undefined")
        case .namespace, .function: throw evaluation("a namespace or a function is no value to compute with")
        }
    }

    private func member(_ object: TemplateValue, _ key: JSON) throws(ChatTemplateError) -> TemplateValue {
        let name = key.string.map(quoted) ?? key.serialized()
        switch (object, key) {
        case (.undefined(let parent), _): throw evaluation("\(parent) is undefined, so it has no \(name)")
        case (.namespace(let namespace), .string(let key)): return namespace.members[key] ?? .undefined(name)
        case (.data(.object(let object)), .string(let key)): return object[key].map { .data($0) } ?? .undefined(name)
        case (.data(.array(let elements)), .integer(let index)):
            let position = index < 0 ? index + elements.count : index
            return elements.indices.contains(position) ? .data(elements[position]) : .undefined("element \(index)")
        default: return .undefined(name)
        }
    }

    private func slice(_ value: JSON, _ from: JSON?, _ to: JSON?, _ by: JSON?) throws(ChatTemplateError)
        -> TemplateValue
    {
        guard let elements = value.array else { throw unsupported("a slice of \(value.kind)") }
        let step = try bound(by) ?? 1
        guard step == 1 || (step == -1 && from == nil && to == nil) else { throw unsupported("a slice by \(step)") }
        if step == -1 { return .data(.array(elements.reversed())) }
        let clamped = { (bound: Int) in min(max(0, bound < 0 ? bound + elements.count : bound), elements.count) }
        let start = clamped(try bound(from) ?? 0)
        let end = clamped(try bound(to) ?? elements.count)
        return .data(.array(start < end ? Array(elements[start..<end]) : []))
    }

    private func bound(_ value: JSON?) throws(ChatTemplateError) -> Int? {
        guard let value, !value.isNull else { return nil }
        guard let bound = value.integer, (-1 << 31...1 << 31).contains(bound) else {
            throw evaluation("a slice's bound must be a small whole number")
        }
        return bound
    }

    private func binary(
        _ symbol: String,
        _ left: TemplateExpression,
        _ right: TemplateExpression
    ) throws(ChatTemplateError) -> TemplateValue {
        switch symbol {
        case "and":
            let first = try value(left)
            return first.isTrue ? try value(right) : first
        case "or":
            let first = try value(left)
            return first.isTrue ? first : try value(right)
        case "==": return .data(.bool(try value(left).equals(value(right))))
        case "!=": return .data(.bool(try !value(left).equals(value(right))))
        case "~": return .data(.string(try printed(value(left)) + printed(value(right))))
        case "in": return .data(.bool(try isContained(data(left), in: data(right))))
        case "<", ">", "<=", ">=": return .data(.bool(try isOrdered(symbol, data(left), data(right))))
        default: return try arithmetic(symbol, data(left), data(right))
        }
    }

    private func isContained(_ element: JSON, in container: JSON) throws(ChatTemplateError) -> Bool {
        switch (element, container) {
        case (.string(let text), .string(let whole)): return text.isEmpty || whole.utf8.firstRange(of: text.utf8) != nil
        case (_, .array(let elements)): return elements.contains { TemplateValue.data($0).equals(.data(element)) }
        case (.string(let key), .object(let object)): return object[key] != nil
        default: throw evaluation("\(container.kind) cannot contain \(element.kind)")
        }
    }

    private func isOrdered(_ symbol: String, _ left: JSON, _ right: JSON) throws(ChatTemplateError) -> Bool {
        guard let left = left.number, let right = right.number else {
            throw unsupported("comparing \(left.kind) with \(right.kind) by '\(symbol)'")
        }
        switch symbol {
        case "<": return left < right
        case ">": return left > right
        case "<=": return left <= right
        default: return left >= right
        }
    }

    private func arithmetic(_ symbol: String, _ left: JSON, _ right: JSON) throws(ChatTemplateError) -> TemplateValue {
        if symbol == "+", case (.string(let left), .string(let right)) = (left, right) {
            return .data(.string(left + right))
        }
        if symbol == "+", case (.array(let left), .array(let right)) = (left, right) {
            return .data(.array(left + right))
        }
        guard case (.integer(let left), .integer(let right)) = (left, right) else {
            throw evaluation("'\(symbol)' does not go between \(left.kind) and \(right.kind)")
        }
        guard let result = try wholeArithmetic(symbol, left, right) else {
            throw evaluation("\(left) \(symbol) \(right) has no value")
        }
        return .data(.integer(result))
    }

    /// Whole-number arithmetic by Python's rules, or nil where there is no result.
    private func wholeArithmetic(_ symbol: String, _ left: Int, _ right: Int) throws(ChatTemplateError) -> Int? {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case "+": result = left.addingReportingOverflow(right)
        case "-": result = left.subtractingReportingOverflow(right)
        case "*": result = left.multipliedReportingOverflow(by: right)
        case "%":
            result = left.remainderReportingOverflow(dividingBy: right)
            // Python's remainder has the divisor's sign.
            if !result.overflow, result.partialValue != 0, (result.partialValue < 0) != (right < 0) {
                return result.partialValue + right
            }
        default: throw unsupported("the operator '\(symbol)'")
        }
        return result.overflow ? nil : result.partialValue
    }
}
