/// A JSON value whose strings compare by their bytes and whose objects keep their order.
///
/// Vocabularies need this: `String ==` is canonical equivalence, under which two distinct tokens may be the same key.
public enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A text.
    case string(String)
    /// A list of values.
    case array([JSON])
    /// An ordered list of members with unique keys.
    case object(JSONObject)
}

extension JSON {
    /// Whether this is `null`.
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The truth value, or `nil` for any other kind.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The whole number, or `nil` for any other kind, numbers such as `1.0` included.
    public var integer: Int? { if case .integer(let value) = self { value } else { nil } }

    /// The number, whole or not, or `nil` for any other kind.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }

    /// The text, or `nil` for any other kind.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The list, or `nil` for any other kind.
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }

    /// The object, or `nil` for any other kind.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// The member of that name, or `nil` where there is none or this is not an object.
    public subscript(key: String) -> JSON? { object?[key] }

    /// The element at that position, or `nil` where there is none or this is not an array.
    public subscript(index: Int) -> JSON? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// What kind of value this is, with its article, as an error message names it: "a string".
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSON: Equatable {
    /// Equality of kind and content: strings by their bytes, objects by members in any order.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`, written `nil`.
    public init(nilLiteral: ()) { self = .null }

    /// A truth value written as a literal.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// A whole number written as a literal.
    public init(integerLiteral value: Int) { self = .integer(value) }

    /// A number written as a literal.
    public init(floatLiteral value: Double) { self = .number(value) }

    /// A text written as a literal.
    public init(stringLiteral value: String) { self = .string(value) }

    /// A list written as a literal.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }

    /// An object written as a literal; of equal keys the last one counts.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
