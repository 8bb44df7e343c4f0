/// Finds what filters sort, group or pick by: an attribute, which may be a path with dots, or the value itself.
struct AttributeGetter {
    private let path: [Value]
    private let ignoresCase: Bool
    private let defaultValue: Value?

    init(_ attribute: Value?, ignoresCase: Bool = false, default defaultValue: Value? = nil) throws(Fault) {
        self.ignoresCase = ignoresCase
        self.defaultValue = defaultValue
        switch attribute {
        case nil, .some(.none): path = []
        case .string(let text)?: path = Self.path(text.string)
        case let index?: path = [index]
        }
    }

    private static func path(_ text: String) -> [Value] {
        text.split(by: ".", limit: -1).map { part in
            let isNumber = !part.isEmpty && part.unicodeScalars.allSatisfy(\.isASCIIDigit)
            return (isNumber ? Int(part).map(Value.integer) : nil) ?? .text(part)
        }
    }

    /// One for each attribute of a list between commas.
    static func several(_ attribute: Value?, ignoresCase: Bool) throws(Fault) -> [AttributeGetter] {
        guard case .string(let text)? = attribute else {
            return [try AttributeGetter(attribute, ignoresCase: ignoresCase)]
        }
        return try text.string.split(by: ",", limit: -1).map { (part) throws(Fault) in
            try AttributeGetter(.text(part), ignoresCase: ignoresCase)
        }
    }

    func value(of item: Value) throws(Fault) -> Value {
        var value = item
        for part in path {
            value = try value.subscripted(part)
            if let defaultValue, value.isUndefined { value = defaultValue }
        }
        if ignoresCase, case .string(let text) = value { return .text(text.string.lowercasedByPython) }
        return value
    }
}
