import JSONText

extension TemplateRenderer {
    /// Calls a function by its name; two of them are understood.
    func call(_ function: TemplateExpression, _ arguments: TemplateArguments) throws(ChatTemplateError) -> TemplateValue
    {
        guard case .name(let variable) = function else { throw unsupported("calling a method") }
        guard case .function(let name)? = lookUp(variable) else { throw unsupported("the function '\(variable)'") }
        switch name {
        case "raise_exception":
            guard let message = arguments.positional.first else { throw evaluation("raise_exception needs a message") }
            throw raised(try printed(value(message)))
        case "namespace":
            guard arguments.positional.isEmpty else { throw unsupported("a namespace made of another value") }
            var members: [String: TemplateValue] = [:]
            for (name, expression) in arguments.named { members[name] = try value(expression) }
            return .namespace(TemplateNamespace(members))
        default: throw unsupported("the function '\(name)'")
        }
    }

    func filtered(
        _ input: TemplateValue,
        by name: String,
        _ arguments: TemplateArguments
    ) throws(ChatTemplateError) -> TemplateValue {
        guard arguments.named.isEmpty, arguments.positional.count <= (name == "default" ? 2 : 0) else {
            throw unsupported("the filter '\(name)' with these arguments")
        }
        switch name {
        case "trim": return .data(.string(try printed(input).strippedAsByPython))
        case "lower": return .data(.string(try printed(input).lowercased()))
        case "upper": return .data(.string(try printed(input).uppercased()))
        case "string": return .data(.string(try printed(input)))
        case "length", "count": return .data(.integer(try length(of: input)))
        case "default": return try defaulted(input, arguments.positional)
        case "first", "last":
            guard case .data(.array(let elements)) = input else { throw unsupported("the filter '\(name)' of no list") }
            let element = name == "first" ? elements.first : elements.last
            return element.map { .data($0) } ?? .undefined("the \(name) element of an empty list")
        default: throw unsupported("the filter '\(name)'")
        }
    }

    private func length(of input: TemplateValue) throws(ChatTemplateError) -> Int {
        switch input {
        case .data(.array(let elements)): return elements.count
        case .data(.object(let object)): return object.count
        case .data(.string(let text)): return text.unicodeScalars.count
        case .undefined: return 0
        default: throw evaluation("only lists, objects and strings have a length")
        }
    }

    private func defaulted(
        _ input: TemplateValue,
        _ arguments: [TemplateExpression]
    ) throws(ChatTemplateError) -> TemplateValue {
        let replacesFalse = arguments.count > 1 ? try value(arguments[1]).isTrue : false
        let isMissing = if case .undefined = input { true } else { replacesFalse && !input.isTrue }
        guard isMissing else { return input }
        return try arguments.first.map(value) ?? .data("")
    }

    /// Whether a value passes one of Jinja's tests.
    func holds(
        _ name: String,
        _ input: TemplateValue,
        _ arguments: TemplateArguments
    ) throws(ChatTemplateError) -> Bool {
        guard arguments.positional.isEmpty, arguments.named.isEmpty else {
            throw unsupported("the test '\(name)' with an argument")
        }
        let isDefined = if case .undefined = input { false } else { true }
        let json: JSON? = if case .data(let json) = input { json } else { nil }
        switch name {
        case "defined": return isDefined
        case "undefined": return !isDefined
        case "none": return json?.isNull ?? false
        case "string": return json?.string != nil
        case "mapping": return json?.object != nil
        case "true": return json?.bool == true
        case "false": return json?.bool == false
        case "boolean": return json?.bool != nil
        case "integer": return json?.integer != nil
        case "number": return json?.number != nil || json?.bool != nil
        case "iterable", "sequence":
            return !isDefined || json?.string != nil || json?.array != nil || json?.object != nil
        default: throw unsupported("the test '\(name)'")
        }
    }
}
