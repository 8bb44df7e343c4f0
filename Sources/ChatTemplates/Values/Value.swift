import JSONText

/// A value of the template language: what Python's values are, as far as a template can reach them.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(Text)
    case list(ValueList)
    case tuple(ValueTuple)
    case dictionary(ValueDictionary)
    case view(DictionaryView)
    case range(ValueRange)
    case iterator(ValueIterator)
    case object(any TemplateObject)
}

/// What an expression gives whose value is missing: it prints as nothing, and is an error where more is asked of it.
struct Undefined {
    /// Why it is missing.
    let reason: String

    var fault: Fault { .evaluation(reason) }
}

/// A text, which may be marked as one that needs no escaping.
struct Text {
    let string: String
    var isMarkup = false

    init(_ string: String, isMarkup: Bool = false) {
        self.string = string
        self.isMarkup = isMarkup
    }
}

/// A list; nothing in a template can change one.
final class ValueList {
    let elements: [Value]
    let nesting: Int

    init(_ elements: [Value]) throws(Fault) {
        try Limits.check(elements: elements.count)
        self.elements = elements
        nesting = try elements.nesting()
    }
}

/// A tuple, whose elements may have names.
final class ValueTuple {
    let elements: [Value]
    let names: [String]
    let nesting: Int

    init(_ elements: [Value], names: [String] = []) throws(Fault) {
        try Limits.check(elements: elements.count)
        self.elements = elements
        self.names = names
        nesting = try elements.nesting()
    }
}

/// A range of integers.
struct ValueRange {
    let start: Int
    let stop: Int
    let step: Int

    var count: Int { step > 0 ? max(0, (stop - start + step - 1) / step) : max(0, (start - stop - step - 1) / -step) }

    subscript(index: Int) -> Value { .integer(start + index * step) }
}

/// Values that are made one by one and can be gone through once.
final class ValueIterator {
    private let make: () throws(Fault) -> Value?
    let nesting: Int

    /// - Parameter nesting: That of all it is made of.
    init(nesting: Int = 0, _ make: @escaping () throws(Fault) -> Value?) {
        self.nesting = nesting
        self.make = make
    }

    convenience init(_ elements: [Value], nesting: Int = 0) {
        var position = 0
        self.init(nesting: nesting) { () throws(Fault) in
            guard position < elements.count else { return nil }
            defer { position += 1 }
            return elements[position]
        }
    }

    func next() throws(Fault) -> Value? { try make() }
}

extension [Value] {
    /// How deep values stand inside each other in one that holds these.
    func nesting() throws(Fault) -> Int {
        var deepest = 0
        for element in self { deepest = Swift.max(deepest, element.nesting) }
        guard deepest < Limits.nesting else {
            throw .limit("more than \(Limits.nesting) lists, dictionaries or generators stand inside each other")
        }
        return deepest + 1
    }
}

extension Value {
    var nesting: Int {
        switch self {
        case .list(let list): list.nesting
        case .tuple(let tuple): tuple.nesting
        case .dictionary(let dictionary): dictionary.nesting
        case .view(let view): view.dictionary.nesting + 1
        case .iterator(let iterator): iterator.nesting
        case .object(let object): object.nesting
        case .undefined, .none, .bool, .integer, .float, .string, .range: 0
        }
    }

    static func text(_ string: String) -> Value { .string(Text(string)) }

    /// A value that is missing for that reason.
    static func because(_ reason: String) -> Value { .undefined(Undefined(reason: reason)) }

    static func list(of elements: [Value]) throws(Fault) -> Value { .list(try ValueList(elements)) }

    static func tuple(of elements: [Value]) throws(Fault) -> Value { .tuple(try ValueTuple(elements)) }

    init(_ literal: Expression.Literal) {
        switch literal {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .float(let value): self = .float(value)
        case .string(let value): self = .text(value)
        }
    }

    init(_ json: JSON) throws(Fault) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .number(let value): self = .float(value)
        case .string(let value): self = .text(value)
        case .array(let elements): self = try .list(of: elements.map { (json) throws(Fault) in try Value(json) })
        case .object(let object):
            var builder = ValueDictionary.Builder()
            for (key, value) in object.members { builder.setText(key, try Value(value)) }
            self = .dictionary(try builder.dictionary())
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    var isNone: Bool { if case .none = self { true } else { false } }

    /// What Python's `type` names the value's type.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer: "int"
        case .float: "float"
        case .string(let text): text.isMarkup ? "Markup" : "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dictionary: "dict"
        case .view(let view): "dict_\(view.part)"
        case .range: "range"
        case .iterator: "generator"
        case .object(let object): object.typeName
        }
    }
}
