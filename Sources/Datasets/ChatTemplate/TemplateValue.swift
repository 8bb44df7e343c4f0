import JSONText

/// What an expression of a template stands for while it is rendered.
enum TemplateValue {
    case data(JSON)
    /// Nothing, because what is named is not there; an error only where more is asked of it than to be printed or tested.
    case undefined(String)
    case namespace(TemplateNamespace)
    /// A function that every template may call.
    case function(String)

    /// The functions that transformers gives a template; those that are not understood are still there to be asked about.
    static let functionNames: Set = [
        "raise_exception", "namespace", "strftime_now", "range", "dict", "cycler", "joiner", "lipsum",
    ]

    /// Whether a condition holds, by Python's rules.
    var isTrue: Bool {
        switch self {
        case .undefined: false
        case .namespace, .function: true
        case .data(let json):
            switch json {
            case .null: false
            case .bool(let value): value
            case .integer(let value): value != 0
            case .number(let value): value != 0
            case .string(let text): !text.isEmpty
            case .array(let elements): !elements.isEmpty
            case .object(let object): !object.isEmpty
            }
        }
    }

    /// Equality by Python's rules: strings by their characters, numbers by their value whatever their kind.
    func equals(_ other: TemplateValue) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined): true
        case (.namespace(let left), .namespace(let right)): left === right
        case (.data(let left), .data(let right)): left.numericValue.map { $0 == right.numericValue } ?? (left == right)
        default: false
        }
    }
}

/// A box whose members a loop's body can set so that they outlive it.
final class TemplateNamespace {
    var members: [String: TemplateValue]

    init(_ members: [String: TemplateValue]) { self.members = members }
}

extension JSON {
    /// The value as Python compares it, in which truth is a number too.
    fileprivate var numericValue: Double? { bool.map { $0 ? 1 : 0 } ?? number }
}

extension String {
    /// The text without the white space around it, as Python's `str.strip`.
    var strippedAsByPython: String {
        let scalars = unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.isTemplateWhitespace }),
            let end = scalars.lastIndex(where: { !$0.isTemplateWhitespace })
        else { return "" }
        return String(scalars[start...end])
    }
}
