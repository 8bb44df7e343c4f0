/// A dictionary in the order in which its keys were set; nothing in a template can change one.
final class ValueDictionary {
    let keys: [Value]
    let values: [Value]
    let nesting: Int
    private let positions: [Key: Int]

    fileprivate init(keys: [Value], values: [Value], positions: [Key: Int]) throws(Fault) {
        self.keys = keys
        self.values = values
        self.positions = positions
        nesting = try Swift.max(ValueList(values).nesting, keys.nesting())
    }

    convenience init() throws(Fault) { try self.init(keys: [], values: [], positions: [:]) }

    var count: Int { keys.count }

    subscript(name: String) -> Value? { positions[.text(name)].map { values[$0] } }

    /// The value of a key.
    ///
    /// - Throws: `Fault` for what cannot be a key at all.
    func value(_ key: Value) throws(Fault) -> Value? { positions[try Key(key)].map { values[$0] } }

    /// What Python compares and hashes of a key: 1, 1.0 and true are one.
    enum Key: Hashable {
        case undefined
        case none
        case number(Double)
        case integer(Int)
        case text(String)
        case tuple([Key])
        /// The count of a range, and what of it counts for so many.
        case range([Int])
        case object(ObjectIdentifier)

        init(_ value: Value) throws(Fault) {
            switch value {
            case .undefined: self = .undefined
            case .none: self = .none
            case .bool(let value): self = .integer(value ? 1 : 0)
            case .integer(let value): self = .integer(value)
            case .float(let value): self = Int(exactly: value).map(Key.integer) ?? .number(value)
            case .string(let text): self = .text(text.string)
            case .tuple(let tuple):
                self = .tuple(try tuple.elements.map { (element) throws(Fault) in try Key(element) })
            case .iterator(let iterator): self = .object(ObjectIdentifier(iterator))
            case .object(let object): self = .object(ObjectIdentifier(object))
            case .range(let range):
                self = .range(Array([range.count, range.start, range.step].prefix(min(range.count, 2) + 1)))
            case .list, .dictionary, .view:
                throw .evaluation("a value of type '\(value.typeName)' cannot be a key")
            }
        }

        static func == (left: Key, right: Key) -> Bool {
            switch (left, right) {
            case (.undefined, .undefined), (.none, .none): true
            case (.number(let left), .number(let right)): left == right
            case (.integer(let left), .integer(let right)): left == right
            case (.text(let left), .text(let right)): left.hasSameScalars(as: right)
            case (.tuple(let left), .tuple(let right)): left == right
            case (.range(let left), .range(let right)): left == right
            case (.object(let left), .object(let right)): left == right
            default: false
            }
        }

        func hash(into hasher: inout Hasher) {
            switch self {
            case .undefined: hasher.combine(0)
            case .none: hasher.combine(1)
            case .number(let value): hasher.combine(value)
            case .integer(let value): hasher.combine(value)
            case .text(let text): for byte in text.utf8 { hasher.combine(byte) }
            case .tuple(let keys): hasher.combine(keys)
            case .range(let parts): hasher.combine(parts)
            case .object(let identity): hasher.combine(identity)
            }
        }
    }

    /// Puts a dictionary together.
    struct Builder {
        private var keys: [Value] = []
        private var values: [Value] = []
        private var positions: [Key: Int] = [:]

        init() {}

        init(_ dictionary: ValueDictionary) {
            (keys, values, positions) = (dictionary.keys, dictionary.values, dictionary.positions)
        }

        /// Sets a key, which keeps its place where it was set before.
        mutating func set(_ key: Value, _ value: Value) throws(Fault) { set(try Key(key), key, value) }

        mutating func setText(_ key: String, _ value: Value) { set(.text(key), .text(key), value) }

        private mutating func set(_ key: Key, _ keyValue: Value, _ value: Value) {
            if let position = positions[key] {
                values[position] = value
            } else {
                positions[key] = keys.count
                keys.append(keyValue)
                values.append(value)
            }
        }

        func dictionary() throws(Fault) -> ValueDictionary {
            try ValueDictionary(keys: keys, values: values, positions: positions)
        }
    }
}

/// What `keys`, `values` and `items` of a dictionary give.
struct DictionaryView {
    enum Part: String { case keys, values, items }

    let dictionary: ValueDictionary
    let part: Part

    func elements() throws(Fault) -> [Value] {
        switch part {
        case .keys: dictionary.keys
        case .values: dictionary.values
        case .items:
            try zip(dictionary.keys, dictionary.values).map { (pair) throws(Fault) in
                try .tuple(of: [pair.0, pair.1])
            }
        }
    }
}

extension String {
    /// Whether both hold the same characters; `==` would compare by canonical equivalence.
    func hasSameScalars(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
