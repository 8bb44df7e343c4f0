import JSONText

/// Runs the statements of a template and gathers their text.
struct TemplateRenderer {
    private(set) var text = ""
    /// The names in sight, those of the innermost loop last.
    private var scopes: [[String: TemplateValue]]
    /// The line of the statement that is run, for errors.
    private var line = 1

    init(variables: [String: TemplateValue]) { scopes = [variables] }

    mutating func run(_ statements: [TemplateStatement]) throws(ChatTemplateError) {
        for statement in statements { try run(statement) }
    }

    private mutating func run(_ statement: TemplateStatement) throws(ChatTemplateError) {
        switch statement {
        case .text(let text): self.text += text
        case .output(let expression, let line):
            self.line = line
            text += try printed(value(expression))
        case .condition(let branches, let otherwise, let line):
            for (test, body) in branches {
                self.line = line
                if try value(test).isTrue { return try run(body) }
            }
            try run(otherwise)
        case .loop(let loop, let line): try run(loop, line)
        case .assignment(let name, let attribute, let expression, let line):
            self.line = line
            let value = try value(expression)
            guard let attribute else { return scopes[scopes.count - 1][name] = value }
            guard case .namespace(let namespace)? = lookUp(name) else {
                throw evaluation("'\(name)' is no namespace, so its '\(attribute)' cannot be set")
            }
            namespace.members[attribute] = value
        }
    }

    private mutating func run(_ loop: TemplateLoop, _ line: Int) throws(ChatTemplateError) {
        self.line = line
        scopes.append([:])
        defer { scopes.removeLast() }
        var elements = try sequence(value(loop.sequence))
        if let filter = loop.filter {
            var kept: [JSON] = []
            for element in elements {
                try bind(loop.names, to: element)
                if try value(filter).isTrue { kept.append(element) }
            }
            elements = kept
        }
        for (index, element) in elements.enumerated() {
            scopes[scopes.count - 1] = ["loop": .data(Self.state(of: elements, at: index))]
            try bind(loop.names, to: element)
            try run(loop.body)
        }
        if elements.isEmpty { try run(loop.otherwise) }
    }

    private mutating func bind(_ names: [String], to element: JSON) throws(ChatTemplateError) {
        guard names.count > 1 else { return scopes[scopes.count - 1][names[0]] = .data(element) }
        guard let parts = element.array, parts.count == names.count else {
            throw evaluation("an element cannot be spread over \(names.count) names")
        }
        for (name, part) in zip(names, parts) { scopes[scopes.count - 1][name] = .data(part) }
    }

    private static func state(of elements: [JSON], at index: Int) -> JSON {
        var state = JSONObject()
        state["index"] = .integer(index + 1)
        state["index0"] = .integer(index)
        state["revindex"] = .integer(elements.count - index)
        state["revindex0"] = .integer(elements.count - index - 1)
        state["first"] = .bool(index == 0)
        state["last"] = .bool(index == elements.count - 1)
        state["length"] = .integer(elements.count)
        state["previtem"] = index > 0 ? elements[index - 1] : nil
        state["nextitem"] = index + 1 < elements.count ? elements[index + 1] : nil
        return .object(state)
    }

    func lookUp(_ name: String) -> TemplateValue? {
        for scope in scopes.reversed() {
            if let value = scope[name] { return value }
        }
        return TemplateValue.functionNames.contains(name) ? .function(name) : nil
    }

    /// The text of a value where it is printed.
    func printed(_ value: TemplateValue) throws(ChatTemplateError) -> String {
        switch value {
        case .undefined: return ""
        case .data(.string(let text)): return text
        case .data(.integer(let value)): return String(value)
        case .data(.bool(let value)): return value ? "True" : "False"
        case .data(.null): return "None"
        case .data(let json): throw unsupported("printing \(json.kind)")
        case .namespace, .function: throw unsupported("printing a namespace or a function")
        }
    }

    private func sequence(_ value: TemplateValue) throws(ChatTemplateError) -> [JSON] {
        switch value {
        case .undefined: return []
        case .data(.array(let elements)): return elements
        case .data(.object(let object)): return object.members.map { .string($0.key) }
        case .data(let json): throw evaluation("\(json.kind) is no sequence to loop over")
        case .namespace, .function: throw evaluation("a namespace or a function is no sequence to loop over")
        }
    }

    func evaluation(_ reason: String) -> ChatTemplateError {
        ChatTemplateError(line: line, problem: .evaluation(reason))
    }

    func unsupported(_ construct: String) -> ChatTemplateError {
        ChatTemplateError(line: line, problem: .unsupported(construct))
    }

    func raised(_ message: String) -> ChatTemplateError { ChatTemplateError(line: line, problem: .raised(message)) }
}
