extension Filters {
    static let selections: [String: Filter] = [
        "map": { (value, arguments, interpreter) throws(Fault) in try map(value, arguments, interpreter) },
        "select": { (value, arguments, _) throws(Fault) in
            try selection(of: value, arguments, "select", byAttribute: false, keeps: true)
        },
        "reject": { (value, arguments, _) throws(Fault) in
            try selection(of: value, arguments, "reject", byAttribute: false, keeps: false)
        },
        "selectattr": { (value, arguments, _) throws(Fault) in
            try selection(of: value, arguments, "selectattr", byAttribute: true, keeps: true)
        },
        "rejectattr": { (value, arguments, _) throws(Fault) in
            try selection(of: value, arguments, "rejectattr", byAttribute: true, keeps: false)
        },
    ]

    /// Goes through a value that is not empty, preparing when the first element is asked for.
    private static func prepared(
        _ value: Value,
        _ arguments: Arguments,
        _ prepare: @escaping () throws(Fault) -> (ValueIterator) throws(Fault) -> Value?
    ) throws(Fault) -> Value {
        var state: (iterator: ValueIterator, next: (ValueIterator) throws(Fault) -> Value?)?
        var isDone = false
        let nesting = try ([value] + arguments.positional + arguments.named.map(\.value)).nesting()
        return .iterator(
            ValueIterator(nesting: nesting) { () throws(Fault) in
                if isDone { return nil }
                if state == nil {
                    guard try value.isTrue() else {
                        isDone = true
                        return nil
                    }
                    let next = try prepare()
                    state = (try value.iterator(), next)
                }
                guard let state, let next = try state.next(state.iterator) else {
                    isDone = true
                    return nil
                }
                return next
            }
        )
    }

    private static func map(_ value: Value, _ arguments: Arguments, _ interpreter: Interpreter) throws(Fault) -> Value {
        try prepared(value, arguments) { [unowned interpreter] () throws(Fault) in
            let change = try mapping(arguments, interpreter)
            return { (iterator) throws(Fault) in
                guard let next = try iterator.next() else { return nil }
                return try change(next)
            }
        }
    }

    private static func mapping(
        _ arguments: Arguments,
        _ interpreter: Interpreter
    ) throws(Fault) -> (Value) throws(Fault) -> Value {
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let values = try arguments.bound(to: ["attribute", "default"], of: "map")
            let getter = try AttributeGetter(values[0], default: values[1].flatMap { $0.isNone ? nil : $0 })
            return { (item) throws(Fault) in try getter.value(of: item) }
        }
        guard let first = arguments.positional.first else { throw .evaluation("'map' needs a filter's name") }
        let name = try Value?.some(first).asText("map")
        let rest = Arguments(positional: Array(arguments.positional.dropFirst()), named: arguments.named)
        return { [unowned interpreter] (item) throws(Fault) in try apply(name, item, rest, interpreter) }
    }

    private static func selection(
        of value: Value,
        _ arguments: Arguments,
        _ name: String,
        byAttribute: Bool,
        keeps: Bool
    ) throws(Fault) -> Value {
        try prepared(value, arguments) { () throws(Fault) in
            var rest = arguments
            var getter = try AttributeGetter(nil)
            if byAttribute {
                guard !rest.positional.isEmpty else { throw .evaluation("'\(name)' needs an attribute's name") }
                getter = try AttributeGetter(rest.positional.removeFirst())
            }
            let test = rest.positional.isEmpty ? nil : rest.positional.removeFirst()
            return { (iterator) throws(Fault) in
                while let next = try iterator.next() {
                    let item = try getter.value(of: next)
                    let holds = try test.map { (test) throws(Fault) in
                        try Tests.hold(try Value?.some(test).asText(name), item, rest)
                    }
                    if try holds.or({ () throws(Fault) in try item.isTrue() }) == keeps { return next }
                }
                return nil
            }
        }
    }
}
