/// Python's formatting by braces: `str.format`.
struct BraceFormat {
    private let arguments: Arguments
    private var nextIndex = 0
    private var isNumbered: Bool?

    static func format(_ format: String, _ arguments: Arguments) throws(Fault) -> String {
        var formatter = BraceFormat(arguments: arguments)
        return try formatter.formatted(Array(format.unicodeScalars)[...], depth: 0)
    }

    private mutating func formatted(_ format: ArraySlice<Unicode.Scalar>, depth: Int) throws(Fault) -> String {
        guard depth < 3 else { throw .evaluation("places of 'format' stand too deep inside each other") }
        var result = ""
        var rest = format
        while let scalar = rest.popFirst() {
            if scalar == "{" || scalar == "}", rest.first == scalar {
                rest.removeFirst()
                result.unicodeScalars.append(scalar)
            } else if scalar == "}" {
                throw .evaluation("'format' finds a '}' without its '{'")
            } else if scalar == "{" {
                result += try place(try Self.takePlace(&rest), depth: depth)
                try Limits.check(textBytes: result.utf8.count)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Takes what stands between braces.
    private static func takePlace(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Fault) -> ArraySlice<Unicode.Scalar>
    {
        var depth = 1
        let start = rest
        while let scalar = rest.popFirst() {
            depth += scalar == "{" ? 1 : scalar == "}" ? -1 : 0
            if depth == 0 { return start[..<(rest.startIndex - 1)] }
        }
        throw .evaluation("'format' finds a '{' without its '}'")
    }

    private mutating func place(_ place: ArraySlice<Unicode.Scalar>, depth: Int) throws(Fault) -> String {
        let field = place.prefix { $0 != ":" && $0 != "!" }
        var rest = place[field.endIndex...]
        var value = try value(of: field)
        if rest.first == "!" {
            rest.removeFirst()
            switch rest.popFirst() {
            case "s": value = .text(try value.printed())
            case "r": value = .text(try value.represented())
            default: throw .evaluation("'format' knows the conversions '!s' and '!r'")
            }
            guard rest.isEmpty || rest.first == ":" else {
                throw .evaluation("'format' expects ':' behind a conversion")
            }
        }
        let specification = try formatted(rest.dropFirst(), depth: depth + 1)
        return try FormatSpecification(specification).format(value)
    }

    private mutating func value(of field: ArraySlice<Unicode.Scalar>) throws(Fault) -> Value {
        let name = String(scalars: field.prefix { $0 != "." && $0 != "[" })
        var rest = field.dropFirst(name.unicodeScalars.count)
        var value = try argument(name)
        while let opening = rest.popFirst() {
            if opening == "." {
                let attribute = rest.prefix { $0 != "." && $0 != "[" }
                rest = rest[attribute.endIndex...]
                value = try value.attribute(String(scalars: attribute))
            } else {
                let key = rest.prefix { $0 != "]" }
                guard opening == "[", key.endIndex < rest.endIndex else {
                    throw .evaluation("'format' finds a '[' without its ']'")
                }
                rest = rest[(key.endIndex + 1)...]
                let text = String(scalars: key)
                value = try value.subscripted(Int(text).map(Value.integer) ?? .text(text))
            }
        }
        return value
    }

    private mutating func argument(_ name: String) throws(Fault) -> Value {
        let number = Int(name)
        guard name.isEmpty || number != nil else {
            guard let value = arguments.named.first(where: { $0.name == name })?.value else {
                throw .evaluation("'format' is given no value named '\(name)'")
            }
            return value
        }
        guard isNumbered == nil || isNumbered == (number != nil) else {
            throw .evaluation("'format' has places with numbers and places without")
        }
        isNumbered = number != nil
        let index = number ?? nextIndex
        nextIndex += 1
        guard arguments.positional.indices.contains(index) else {
            throw .evaluation("'format' is given too few values")
        }
        return arguments.positional[index]
    }
}

/// What stands behind the colon in a place of `str.format`.
private struct FormatSpecification {
    private var fill: Unicode.Scalar = " "
    private var alignment: Unicode.Scalar?
    private var width = 0
    private var number = NumberFormat()
    private var letter: Unicode.Scalar?
    private var hasSign = false
    private let isEmpty: Bool

    init(_ text: String) throws(Fault) {
        isEmpty = text.isEmpty
        var rest = Array(text.unicodeScalars)[...]
        let alignments: Set<Unicode.Scalar> = ["<", ">", "^", "="]
        if let second = rest.dropFirst().first, alignments.contains(second), let first = rest.first {
            (fill, alignment) = (first, second)
            rest.removeFirst(2)
        } else if let first = rest.first, alignments.contains(first) {
            alignment = first
            rest.removeFirst()
        }
        if let sign = rest.first, ["+", "-", " "].contains(sign) {
            hasSign = true
            number.positiveSign = sign == "-" ? "" : String(sign)
            rest.removeFirst()
        }
        if rest.first == "#" {
            number.isAlternate = true
            rest.removeFirst()
        }
        if rest.first == "0" {
            if alignment == nil { (fill, alignment) = ("0", "=") }
            rest.removeFirst()
        }
        width = try Self.count(&rest) ?? 0
        if let grouping = rest.first, grouping == "," || grouping == "_" {
            number.grouping = String(grouping)
            rest.removeFirst()
        }
        if rest.first == "." {
            rest.removeFirst()
            number.precision = try Self.count(&rest)
            if number.precision == nil { throw .evaluation("'format' misses the digits behind a dot") }
        }
        letter = rest.popFirst()
        guard rest.isEmpty else { throw .evaluation("'format' does not know the form '\(text)'") }
    }

    private static func count(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Fault) -> Int? {
        let digits = rest.prefix(while: \.isASCIIDigit)
        rest = rest[digits.endIndex...]
        guard !digits.isEmpty else { return nil }
        guard let count = Int(String(scalars: digits)), count <= Limits.textBytes else {
            throw .limit("a text is to be padded very far")
        }
        return count
    }

    func format(_ value: Value) throws(Fault) -> String {
        if isEmpty { return try value.printed() }
        switch value {
        case .string(let text): return try format(text.string)
        case .float(let value): return try format(value)
        case .bool, .integer:
            return try format(value.wholeNumber ?? 0)
        default: throw .evaluation("'format' has no forms for a value of type '\(value.typeName)'")
        }
    }

    private func format(_ text: String) throws(Fault) -> String {
        guard letter == nil || letter == "s", alignment != "=", !hasSign, !number.isAlternate,
            number.grouping == nil
        else { throw .evaluation("'format' cannot write a string as a number") }
        return padded("", number.precision.map { String(scalars: text.unicodeScalars.prefix($0)) } ?? text, "<")
    }

    private func format(_ value: Int) throws(Fault) -> String {
        switch letter {
        case nil, "d", "x", "X", "o", "b":
            guard number.precision == nil else { throw .evaluation("'format' knows no precision of integers") }
            guard number.grouping != "," || letter == nil || letter == "d" else {
                throw .evaluation("'format' groups by ',' only with ten digits")
            }
            let (sign, digits) = try number.integer(value, Character(letter ?? "d"))
            return padded(sign, digits, ">")
        case "c":
            guard let scalar = UInt32(exactly: value).flatMap(Unicode.Scalar.init) else {
                throw .evaluation("'format' knows no character of this number")
            }
            return padded("", String(scalar), "<")
        default: return try format(Double(value))
        }
    }

    private func format(_ value: Double) throws(Fault) -> String {
        switch letter {
        case "e", "E", "f", "F", "g", "G":
            let (sign, digits) = try number.float(value, Character(letter ?? "g"))
            return padded(sign, digits, ">")
        case "%":
            let (sign, digits) = try number.float(value * 100, "f")
            return padded(sign, digits + "%", ">")
        case nil where number.precision == nil && number.grouping == nil:
            let text = value.pythonDescription
            let isNegative = text.hasPrefix("-")
            return padded(isNegative ? "-" : number.positiveSign, String(text.dropFirst(isNegative ? 1 : 0)), ">")
        case nil: throw .unsupported("a precision of 'format' without a letter")
        default: throw .evaluation("'format' does not know the letter '\(letter.map(String.init) ?? "")'")
        }
    }

    private func padded(_ sign: String, _ text: String, _ defaultAlignment: Unicode.Scalar) -> String {
        let missing = max(0, width - sign.unicodeScalars.count - text.unicodeScalars.count)
        func fill(_ count: Int) -> String { String(repeating: String(self.fill), count: count) }
        switch alignment ?? defaultAlignment {
        case "<": return sign + text + fill(missing)
        case "^": return fill(missing / 2) + sign + text + fill(missing - missing / 2)
        case "=":
            let hasPrefix = number.isAlternate && text.hasPrefix("0") && text.count > 1
            return sign + (hasPrefix ? text.prefix(2) : "") + fill(missing) + text.dropFirst(hasPrefix ? 2 : 0)
        default: return fill(missing) + sign + text
        }
    }
}
