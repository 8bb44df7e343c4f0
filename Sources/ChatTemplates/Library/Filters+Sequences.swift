extension Filters {
    static let sequences: [String: Filter] = [
        "default": defaultValue, "d": defaultValue,
        "length": length, "count": length,
        "list": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "list")
            return try .list(of: value.elements())
        },
        "first": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "first")
            return try value.iterator().next() ?? .because("an empty sequence has no first element")
        },
        "last": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "last")
            return try reversible(value, "last").last ?? .because("an empty sequence has no last element")
        },
        "join": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["d", "attribute"], of: "join")
            let getter = try AttributeGetter(values[1])
            let parts = try value.elements().map { (part) throws(Fault) in try getter.value(of: part).printed() }
            return .text(try parts.joined(by: try values[0]?.printed() ?? ""))
        },
        "reverse": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "reverse")
            if case .string(let text) = value {
                return .string(Text(String(scalars: text.string.unicodeScalars.reversed()), isMarkup: text.isMarkup))
            }
            if case .iterator = value { return try .list(of: value.elements().reversed()) }
            return .iterator(ValueIterator(try reversible(value, "reverse").reversed(), nesting: try [value].nesting()))
        },
        "sort": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["reverse", "case_sensitive", "attribute"], of: "sort")
            let getters = try AttributeGetter.several(values[2], ignoresCase: try !values[1].orNone.isTrue())
            return try .list(
                of: sorted(value.elements(), isReversed: values[0].orNone.isTrue()) { (item) throws(Fault) in
                    try .list(of: getters.map { (getter) throws(Fault) in try getter.value(of: item) })
                }
            )
        },
        "dictsort": { (value, arguments, _) throws(Fault) in try sortedItems(value, arguments) },
        "items": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "items")
            return try lazily([value]) { () throws(Fault) in
                if value.isUndefined { return [] }
                guard case .dictionary(let dictionary) = value else { throw .evaluation("'items' needs a dictionary") }
                return try DictionaryView(dictionary: dictionary, part: .items).elements()
            }
        },
        "attr": { (value, arguments, _) throws(Fault) in
            let name = try arguments.bound(to: ["name"], required: 1, of: "attr")[0].asText("attr")
            // Items are no attributes.
            if case .dictionary(let dictionary) = value {
                return try ContainerMethods.method(name, of: dictionary, value)
                    ?? .because("there is no attribute '\(name)'")
            }
            return try value.attribute(name)
        },
        "unique": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["case_sensitive", "attribute"], of: "unique")
            let getter = try AttributeGetter(values[1], ignoresCase: try !values[0].orNone.isTrue())
            return try filtering(value) { (seen: inout Set<ValueDictionary.Key>, item) throws(Fault) in
                seen.insert(try ValueDictionary.Key(try getter.value(of: item))).inserted
            }
        },
        "groupby": { (value, arguments, _) throws(Fault) in try groups(value, arguments) },
        "batch": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["linecount", "fill_with"], required: 1, of: "batch")
            let count = try values[0].orNone.asInteger("batch")
            return try batches(value, count, fill: values[1].flatMap { $0.isNone ? nil : $0 })
        },
        "slice": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["slices", "fill_with"], required: 1, of: "slice")
            let fill = values[1].flatMap { $0.isNone ? nil : $0 }
            return try lazily([value, values[0].orNone, fill.orNone]) { () throws(Fault) in
                try slices(value.elements(), try values[0].orNone.asInteger("slice"), fill: fill)
            }
        },
    ]

    private static let defaultValue: Filter = { (value, arguments, _) throws(Fault) in
        let values = try arguments.bound(to: ["default_value", "boolean"], of: "default")
        let isBoolean = try values[1].orNone.isTrue()
        let isFalse = try !value.isTrue()
        return value.isUndefined || isBoolean && isFalse ? values[0] ?? .text("") : value
    }

    private static let length: Filter = { (value, arguments, _) throws(Fault) in
        _ = try arguments.bound(to: [], of: "length")
        guard let count = try value.count() else {
            throw .evaluation("a value of type '\(value.typeName)' has no length")
        }
        return .integer(count)
    }

    private static func reversible(_ value: Value, _ name: String) throws(Fault) -> [Value] {
        if case .iterator = value { throw .evaluation("'\(name)' needs a sequence, not a generator") }
        return try value.elements()
    }

    /// Elements that are made of values when the first one is asked for.
    private static func lazily(
        _ values: [Value],
        _ make: @escaping () throws(Fault) -> [Value]
    ) throws(Fault) -> Value {
        var iterator: ValueIterator?
        return .iterator(
            ValueIterator(nesting: try values.nesting()) { () throws(Fault) in
                let current = try iterator.or { () throws(Fault) in ValueIterator(try make()) }
                iterator = current
                return try current.next()
            }
        )
    }

    /// The elements that pass, one by one; what is filtered is asked for with the first one.
    static func filtering<State>(
        _ value: Value,
        _ passes: @escaping (inout State, Value) throws(Fault) -> Bool
    ) throws(Fault) -> Value where State: ExpressibleByArrayLiteral {
        var iterator: ValueIterator?
        var state: State = []
        return .iterator(
            ValueIterator(nesting: try [value].nesting()) { () throws(Fault) in
                let current = try iterator.or { () throws(Fault) in try value.iterator() }
                iterator = current
                while let next = try current.next() { if try passes(&state, next) { return next } }
                return nil
            }
        )
    }

    private static func sorted(
        _ elements: [Value],
        isReversed: Bool,
        by key: (Value) throws(Fault) -> Value
    ) throws(Fault) -> [Value] {
        let keyed = try elements.map { (element) throws(Fault) in (key: try key(element), element: element) }
        // Python keeps the order of equal elements also where it sorts in reverse.
        let sorted = try keyed.sorted { (left, right) throws(Fault) in
            isReversed ? try right.key.isLess(than: left.key) : try left.key.isLess(than: right.key)
        }
        return sorted.map(\.element)
    }

    private static func sortedItems(_ value: Value, _ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
        guard case .dictionary(let dictionary) = value else { throw .evaluation("'dictsort' needs a dictionary") }
        let by = try values[1].map { (by) throws(Fault) in try Value?.some(by).asText("dictsort") } ?? "key"
        guard by == "key" || by == "value" else { throw .evaluation("'dictsort' sorts by 'key' or by 'value'") }
        let getter = try AttributeGetter(
            .integer(by == "key" ? 0 : 1),
            ignoresCase: try !values[0].orNone.isTrue()
        )
        let items = try DictionaryView(dictionary: dictionary, part: .items).elements()
        let isReversed = try values[2].orNone.isTrue()
        return try .list(
            of: sorted(items, isReversed: isReversed) { (item) throws(Fault) in try getter.value(of: item) }
        )
    }

    private static func groups(_ value: Value, _ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["attribute", "default", "case_sensitive"], required: 1, of: "groupby")
        let fallback = values[1].flatMap { $0.isNone ? nil : $0 }
        let getter = try AttributeGetter(
            values[0],
            ignoresCase: try !values[2].orNone.isTrue(),
            default: fallback
        )
        let plainGetter = try AttributeGetter(values[0], default: fallback)
        let elements = try sorted(value.elements(), isReversed: false) { (item) throws(Fault) in
            try getter.value(of: item)
        }
        var groups: [Value] = []
        var position = 0
        while position < elements.count {
            let key = try getter.value(of: elements[position])
            var end = position + 1
            while end < elements.count, try getter.value(of: elements[end]).equals(key) { end += 1 }
            let group = try Value.list(of: Array(elements[position..<end]))
            let name = try plainGetter.value(of: elements[position])
            groups.append(.tuple(try ValueTuple([name, group], names: ["grouper", "list"])))
            position = end
        }
        return try .list(of: groups)
    }

    private static func batches(_ value: Value, _ count: Int, fill: Value?) throws(Fault) -> Value {
        try lazily([value, fill.orNone]) { () throws(Fault) in
            var batches: [[Value]] = []
            var batch: [Value] = []
            for element in try value.elements() {
                if batch.count == count {
                    batches.append(batch)
                    batch = []
                }
                batch.append(element)
            }
            if !batch.isEmpty {
                if let fill, batch.count < count {
                    try Limits.check(elements: count)
                    batch += repeatElement(fill, count: count - batch.count)
                }
                batches.append(batch)
            }
            return try batches.map { (batch) throws(Fault) in try .list(of: batch) }
        }
    }

    private static func slices(_ elements: [Value], _ count: Int, fill: Value?) throws(Fault) -> [Value] {
        guard count != 0 else { throw .evaluation("'slice' cannot make 0 slices") }
        guard count > 0 else { return [] }
        try Limits.check(elements: count)
        let (size, extra) = (elements.count / count, elements.count % count)
        var start = 0
        return try (0..<count).map { (position) throws(Fault) in
            let end = start + size + (position < extra ? 1 : 0)
            defer { start = end }
            let isFilled = fill != nil && position >= extra
            return try .list(of: elements[start..<end] + (isFilled ? [fill].compactMap(\.self) : []))
        }
    }
}
