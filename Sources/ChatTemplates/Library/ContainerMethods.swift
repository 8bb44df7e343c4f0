/// The methods of dictionaries, lists and tuples; those that would change them can be named but not called.
enum ContainerMethods {
    static func method(_ name: String, of dictionary: ValueDictionary, _ value: Value) throws(Fault) -> Value? {
        switch name {
        case "keys", "values", "items":
            guard let part = DictionaryView.Part(rawValue: name) else { return nil }
            return function(name, [], dictionary.nesting) { (_) throws(Fault) in
                .view(DictionaryView(dictionary: dictionary, part: part))
            }
        case "copy": return function(name, [], dictionary.nesting) { (_) throws(Fault) in value }
        case "get":
            return function(name, ["/key", "/default"], dictionary.nesting, required: 1) { (values) throws(Fault) in
                try dictionary.value(values[0] ?? .none) ?? values[1] ?? .none
            }
        case "fromkeys": return function(name, ["/iterable", "/value"], 0, required: 1, fromKeys)
        case "clear", "pop", "popitem", "setdefault", "update": return unsafe(name, of: "dict")
        default: return nil
        }
    }

    /// What `dict.fromkeys` gives.
    static func fromKeys(_ values: [Value?]) throws(Fault) -> Value {
        var builder = ValueDictionary.Builder()
        for key in try (values[0] ?? .none).elements() { try builder.set(key, values[1] ?? .none) }
        return .dictionary(try builder.dictionary())
    }

    static func method(_ name: String, of list: ValueList) -> Value? {
        switch name {
        case "copy": function(name, [], list.nesting) { (_) throws(Fault) in .list(list) }
        case "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove": unsafe(name, of: "list")
        default: search(name, in: list.elements, list.nesting)
        }
    }

    static func method(_ name: String, of tuple: ValueTuple) -> Value? {
        search(name, in: tuple.elements, tuple.nesting)
    }

    private static func search(_ name: String, in elements: [Value], _ nesting: Int) -> Value? {
        switch name {
        case "count":
            return function(name, ["/value"], nesting, required: 1) { (values) throws(Fault) in
                var count = 0
                for element in elements where try element.equals(values[0] ?? .none) { count += 1 }
                return .integer(count)
            }
        case "index":
            return function(name, ["/value", "/start", "/stop"], nesting, required: 1) { (values) throws(Fault) in
                let value = values[0] ?? .none
                let start = place(values[1], 0, elements.count)
                let stop = place(values[2], elements.count, elements.count)
                for position in start..<max(start, stop) where try elements[position].equals(value) {
                    return .integer(position)
                }
                throw .evaluation("\(try value.represented()) is not in the list")
            }
        default: return nil
        }
    }

    private static func place(_ bound: Value?, _ defaultPlace: Int, _ count: Int) -> Int {
        guard let bound = bound?.wholeNumber else { return defaultPlace }
        return max(0, min(count, bound < 0 ? bound + count : bound))
    }

    private static func function(
        _ name: String,
        _ parameters: [String],
        _ nesting: Int,
        required: Int = 0,
        _ body: @escaping ([Value?]) throws(Fault) -> Value
    ) -> Value {
        .object(
            Function(name, nesting: nesting) { (arguments) throws(Fault) in
                try body(try arguments.bound(to: parameters, required: required, of: name))
            }
        )
    }

    private static func unsafe(_ name: String, of type: String) -> Value {
        .because("'\(name)' would change a value of type '\(type)', which templates must not")
    }
}
