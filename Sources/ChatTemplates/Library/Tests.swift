/// Jinja's tests.
enum Tests {
    static func exist(_ name: String) -> Bool { plain[name] != nil || relations[name] != nil }

    static func unknown(_ name: String) -> Fault { .evaluation("there is no test '\(name)'") }

    static func hold(_ name: String, _ value: Value, _ arguments: Arguments) throws(Fault) -> Bool {
        if let test = plain[name] {
            _ = try arguments.bound(to: [], of: name)
            return try test(value)
        }
        guard let relation = relations[name] else { throw unknown(name) }
        let other = try arguments.bound(to: [relation.parameter], required: 1, of: name)[0].orNone
        return try relation.holds(value, other)
    }

    private typealias Test = @Sendable (Value) throws(Fault) -> Bool

    private static let plain: [String: Test] = [
        "defined": { (value) throws(Fault) in !value.isUndefined },
        "undefined": { (value) throws(Fault) in value.isUndefined },
        "none": { (value) throws(Fault) in value.isNone },
        "boolean": { (value) throws(Fault) in if case .bool = value { true } else { false } },
        "true": { (value) throws(Fault) in if case .bool(true) = value { true } else { false } },
        "false": { (value) throws(Fault) in if case .bool(false) = value { true } else { false } },
        "integer": { (value) throws(Fault) in if case .integer = value { true } else { false } },
        "float": { (value) throws(Fault) in if case .float = value { true } else { false } },
        "number": { (value) throws(Fault) in value.number != nil },
        "string": { (value) throws(Fault) in if case .string = value { true } else { false } },
        "mapping": { (value) throws(Fault) in if case .dictionary = value { true } else { false } },
        "sequence": { (value) throws(Fault) in
            switch value {
            // An undefined value has a length, and the method that reads an element.
            case .string, .list, .tuple, .dictionary, .range, .undefined: true
            default: false
            }
        },
        "iterable": { (value) throws(Fault) in
            switch value {
            case .none, .bool, .integer, .float: false
            case .object(let object): object is LoopState
            default: true
            }
        },
        "callable": { (value) throws(Fault) in
            switch value {
            case .object(let object): object.isCallable
            // An undefined value has the method, which fails.
            case .undefined: true
            default: false
            }
        },
        "escaped": { (value) throws(Fault) in value.isMarkup },
        "lower": { (value) throws(Fault) in try value.printed().isLowerByPython },
        "upper": { (value) throws(Fault) in try value.printed().isUpperByPython },
        "odd": { (value) throws(Fault) in try value.combined(.modulo, .integer(2)).equals(.integer(1)) },
        "even": { (value) throws(Fault) in try value.combined(.modulo, .integer(2)).equals(.integer(0)) },
        "filter": { (value) throws(Fault) in
            _ = try ValueDictionary.Key(value)
            if case .string(let text) = value { return Filters.exist(text.string) }
            return false
        },
        "test": { (value) throws(Fault) in
            _ = try ValueDictionary.Key(value)
            if case .string(let text) = value { return exist(text.string) }
            return false
        },
    ]

    private struct Relation: Sendable {
        let parameter: String
        let holds: @Sendable (Value, Value) throws(Fault) -> Bool
    }

    private static let relations: [String: Relation] = {
        func order(_ symbol: ComparisonOperator) -> Relation {
            Relation(parameter: "/other") { (left, right) throws(Fault) in try left.isOrdered(symbol, right) }
        }
        let equal = Relation(parameter: "/other") { (left, right) throws(Fault) in try left.equals(right) }
        let unequal = Relation(parameter: "/other") { (left, right) throws(Fault) in try !left.equals(right) }
        return [
            "==": equal, "eq": equal, "equalto": equal, "!=": unequal, "ne": unequal,
            "<": order(.less), "lt": order(.less), "lessthan": order(.less),
            "<=": order(.lessOrEqual), "le": order(.lessOrEqual),
            ">": order(.greater), "gt": order(.greater), "greaterthan": order(.greater),
            ">=": order(.greaterOrEqual), "ge": order(.greaterOrEqual),
            "in": Relation(parameter: "seq") { (value, sequence) throws(Fault) in try sequence.contains(value) },
            "sameas": Relation(parameter: "other") { (value, other) throws(Fault) in try value.isSame(as: other) },
            "divisibleby": Relation(parameter: "num") { (value, number) throws(Fault) in
                try value.combined(.modulo, number).equals(.integer(0))
            },
        ]
    }()
}
