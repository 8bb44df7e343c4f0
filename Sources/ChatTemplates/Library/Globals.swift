/// The functions that every template can call.
enum Globals {
    static func value(_ name: String, of interpreter: Interpreter) -> Value? {
        switch name {
        case "range": function(name, range)
        case "dict": .object(DictionaryFunction())
        case "namespace":
            function(name) { [unowned interpreter] (arguments) throws(Fault) in
                try namespace(arguments, interpreter)
            }
        case "cycler": function(name, cycler)
        case "joiner":
            function(name) { (arguments) throws(Fault) in
                let separator = try arguments.bound(to: ["sep"], of: "joiner")[0]
                return .object(try Joiner(separator: separator ?? .text(", ")))
            }
        case "raise_exception":
            function(name) { (arguments) throws(Fault) in
                let message = try arguments.bound(to: ["message"], required: 1, of: "raise_exception")[0]
                throw Fault(problem: .raised(try message.orNone.printed()))
            }
        case "strftime_now":
            function(name) { [now = interpreter.now] (arguments) throws(Fault) in
                let format = try arguments.bound(to: ["format"], required: 1, of: "strftime_now")[0]
                return .text(try now.formatted(format.asText("strftime_now")))
            }
        case "lipsum": function(name) { (_) throws(Fault) in throw .unsupported("the function 'lipsum'") }
        default: nil
        }
    }

    private static func function(_ name: String, _ body: @escaping (Arguments) throws(Fault) -> Value) -> Value {
        .object(Function(name, body))
    }

    private static func range(_ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["/start", "/stop", "/step"], required: 1, of: "range")
        var numbers: [Int] = []
        for case let value? in values { numbers.append(try value.asInteger("range")) }
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else { throw .evaluation("'range' cannot have the step 0") }
        let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
        // The sandbox allows so many elements, and nothing is near to overflow below this.
        let bound = 1 << 40
        guard [start, stop, step].allSatisfy({ $0.magnitude < bound }) else {
            throw .evaluation("'range' goes beyond what templates may have")
        }
        let range = ValueRange(start: start, stop: stop, step: step)
        guard range.count <= 100_000 else { throw .evaluation("'range' may have 100000 elements at most") }
        return .range(range)
    }

    /// What `dict(…)` and `namespace(…)` are made of.
    static func members(_ arguments: Arguments, of name: String) throws(Fault) -> ValueDictionary {
        guard arguments.positional.count <= 1 else { throw .evaluation("'\(name)' takes one argument at most") }
        var builder = ValueDictionary.Builder()
        if let first = arguments.positional.first {
            if case .dictionary(let dictionary) = first {
                builder = ValueDictionary.Builder(dictionary)
            } else {
                let iterator = try first.iterator()
                while let pair = try iterator.next() {
                    let elements = try pair.elements()
                    guard elements.count == 2 else { throw .evaluation("'\(name)' needs pairs of a key and a value") }
                    try builder.set(elements[0], elements[1])
                }
            }
        }
        for (name, value) in arguments.named { builder.setText(name, value) }
        return try builder.dictionary()
    }

    private static func namespace(_ arguments: Arguments, _ interpreter: Interpreter) throws(Fault) -> Value {
        let members = try members(arguments, of: "namespace")
        for case .string(let name) in members.keys where name.string.hasPrefix("_") {
            throw .evaluation("a namespace cannot have the attribute '\(name.string)', which begins with an underscore")
        }
        let namespace = Namespace(members)
        interpreter.keep(namespace)
        return .object(namespace)
    }

    private static func cycler(_ arguments: Arguments) throws(Fault) -> Value {
        guard !arguments.positional.isEmpty, arguments.named.isEmpty else {
            throw .evaluation("'cycler' needs the values to choose from")
        }
        return .object(try Cycler(arguments.positional))
    }
}

/// `dict`, which is a function and has one.
private final class DictionaryFunction: TemplateObject {
    var typeName: String { "TemplateDict" }
    var isCallable: Bool { true }

    func call(_ arguments: Arguments) throws(Fault) -> Value { .dictionary(try Globals.members(arguments, of: "dict")) }

    func attribute(_ name: String) throws(Fault) -> Value? {
        guard name == "fromkeys" else { return nil }
        return .object(
            Function(name) { (arguments) throws(Fault) in
                let values = try arguments.bound(to: ["/iterable", "/value"], required: 1, of: name)
                return try ContainerMethods.fromKeys(values)
            }
        )
    }
}
