/// Python's formatting by `%`.
struct PercentFormat {
    private var rest: Substring.UnicodeScalarView
    private var positional: [Value]
    private var mapping: ValueDictionary?
    private var next = 0
    private var usesMapping = false
    private var result = ""

    static func format(_ format: String, _ value: Value) throws(Fault) -> String {
        var positional = [value]
        if case .tuple(let tuple) = value { positional = tuple.elements }
        var mapping: ValueDictionary?
        if case .dictionary(let dictionary) = value { mapping = dictionary }
        var formatter = PercentFormat(rest: format.unicodeScalars[...], positional: positional, mapping: mapping)
        return try formatter.run(isMapping: mapping != nil || value.isUnconsumedMapping)
    }

    private mutating func run(isMapping: Bool) throws(Fault) -> String {
        while let scalar = rest.popFirst() {
            if scalar == "%" { try conversion() } else { result.unicodeScalars.append(scalar) }
        }
        guard next == positional.count || usesMapping || isMapping && next == 0 else {
            throw .evaluation("'%' is given more values than the text has places for")
        }
        return result
    }

    private mutating func nextValue() throws(Fault) -> Value {
        guard next < positional.count else {
            throw .evaluation("'%' is given fewer values than the text has places for")
        }
        defer { next += 1 }
        return positional[next]
    }

    private struct Specification {
        var alignsLeft = false
        var padsWithZeros = false
        var width = 0
        var number = NumberFormat()

        /// Takes a flag, or says that the character is none.
        mutating func take(_ flag: Unicode.Scalar) -> Bool {
            switch flag {
            case "-": alignsLeft = true
            case "+": number.positiveSign = "+"
            case " ": if number.positiveSign.isEmpty { number.positiveSign = " " }
            case "#": number.isAlternate = true
            case "0": padsWithZeros = true
            default: return false
            }
            return true
        }
    }

    private mutating func conversion() throws(Fault) {
        var named: Value?
        if rest.first == "(" { named = try namedValue() }
        var specification = Specification()
        while let flag = rest.first, specification.take(flag) { rest.removeFirst() }
        let width = try count() ?? 0
        specification.width = abs(width)
        if width < 0 { specification.alignsLeft = true }
        if rest.first == "." {
            rest.removeFirst()
            specification.number.precision = max(0, try count() ?? 0)
        }
        while let letter = rest.first, ["h", "l", "L"].contains(letter) { rest.removeFirst() }
        guard let letter = rest.popFirst() else { throw .evaluation("the text ends within a place for '%'") }
        if letter == "%" {
            result += "%"
            return
        }
        let value: Value
        if let named { value = named } else { value = try nextValue() }
        let (sign, digits) = try text(of: value, Character(letter), specification.number)
        try append(sign, digits, specification, isNumber: !["s", "r", "a", "c"].contains(letter))
    }

    private mutating func namedValue() throws(Fault) -> Value {
        guard let mapping else { throw .evaluation("a place for '%' has a name, which needs a dictionary") }
        rest.removeFirst()
        var name = ""
        var depth = 1
        while let scalar = rest.popFirst() {
            depth += scalar == "(" ? 1 : scalar == ")" ? -1 : 0
            if depth == 0 { break }
            name.unicodeScalars.append(scalar)
        }
        guard depth == 0 else { throw .evaluation("the name of a place for '%' is not closed") }
        usesMapping = true
        guard let value = mapping[name] else { throw .evaluation("'%' is given no value named '\(name)'") }
        return value
    }

    private mutating func count() throws(Fault) -> Int? {
        if rest.first == "*" {
            rest.removeFirst()
            return try nextValue().asInteger("%")
        }
        let digits = rest.prefix(while: \.isASCIIDigit)
        rest = rest[digits.endIndex...]
        guard !digits.isEmpty else { return nil }
        guard let count = Int(String(digits)), count <= Limits.textBytes else {
            throw .limit("a text is to be padded very far")
        }
        return count
    }

    private func text(of value: Value, _ letter: Character, _ number: NumberFormat) throws(Fault) -> (String, String) {
        switch letter {
        case "s": return ("", cut(try value.printed(), number.precision))
        case "r": return ("", cut(try value.represented(), number.precision))
        case "c": return ("", try character(value))
        case "d", "i", "u":
            if let whole = value.wholeNumber { return try number.integer(whole, "d") }
            guard case .float(let float) = value, let whole = Int(exactly: float.rounded(.towardZero)) else {
                throw .evaluation("'%\(letter)' needs a number, not a value of type '\(value.typeName)'")
            }
            return try number.integer(whole, "d")
        case "x", "X", "o": return try number.integer(try value.asInteger("%\(letter)"), letter)
        case "e", "E", "f", "F", "g", "G":
            guard let float = value.number else {
                throw .evaluation("'%\(letter)' needs a number, not a value of type '\(value.typeName)'")
            }
            return try number.float(float, letter)
        case "a": throw .unsupported("'%a'")
        default: throw .evaluation("'%\(letter)' is no place that '%' fills")
        }
    }

    private func cut(_ text: String, _ precision: Int?) -> String {
        precision.map { String(scalars: text.unicodeScalars.prefix($0)) } ?? text
    }

    private func character(_ value: Value) throws(Fault) -> String {
        if let number = value.wholeNumber, let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init) {
            return String(scalar)
        }
        if case .string(let text) = value, text.string.unicodeScalars.count == 1 { return text.string }
        throw .evaluation("'%c' needs a character or its number")
    }

    private mutating func append(
        _ sign: String,
        _ digits: String,
        _ specification: Specification,
        isNumber: Bool
    ) throws(Fault) {
        let missing = max(0, specification.width - sign.unicodeScalars.count - digits.unicodeScalars.count)
        try Limits.check(textBytes: result.utf8.count + missing + digits.utf8.count)
        if specification.alignsLeft {
            result += sign + digits + String(repeating: " ", count: missing)
        } else if specification.padsWithZeros, isNumber {
            let hasPrefix = digits.hasPrefix("0x") || digits.hasPrefix("0X") || digits.hasPrefix("0o")
            let prefix = hasPrefix ? digits.prefix(2) : ""
            result += sign + prefix + String(repeating: "0", count: missing) + digits.dropFirst(prefix.count)
        } else {
            result += String(repeating: " ", count: missing) + sign + digits
        }
    }
}

extension Value {
    /// Whether `%` lets the value be where the text has no place: what has items but is neither a tuple nor a string.
    fileprivate var isUnconsumedMapping: Bool {
        switch self {
        case .list, .range, .undefined: true
        default: false
        }
    }
}
