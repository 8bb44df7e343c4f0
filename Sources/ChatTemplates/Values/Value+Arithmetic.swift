#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Value {
    /// What one of Python's binary operators gives.
    func combined(_ symbol: BinaryOperator, _ other: Value) throws(Fault) -> Value {
        if case .modulo = symbol, case .string(let format) = self {
            return .string(Text(try PercentFormat.format(format.string, other), isMarkup: format.isMarkup))
        }
        if let numbers = Numbers(self, other) { return try Self.combined(symbol, numbers) }
        if case .undefined(let undefined) = self { throw undefined.fault }
        if case .undefined(let undefined) = other { throw undefined.fault }
        switch (symbol, self, other) {
        case (.add, .string(let left), .string(let right)): return .string(try left.appending(right))
        case (.add, .list(let left), .list(let right)): return try .list(of: left.elements + right.elements)
        case (.add, .tuple(let left), .tuple(let right)): return try .tuple(of: left.elements + right.elements)
        case (.multiply, _, _):
            if let count = other.wholeNumber, let result = try repeated(count) { return result }
            if let count = wholeNumber, let result = try other.repeated(count) { return result }
        default: break
        }
        throw .evaluation(
            "'\(symbol.rawValue)' has no meaning between a value of type '\(typeName)' and one of type '\(other.typeName)'"
        )
    }

    private func repeated(_ count: Int) throws(Fault) -> Value? {
        let count = max(0, count)
        switch self {
        case .string(let text):
            try Limits.check(textBytes: Limits.product(text.string.utf8.count, count))
            return .string(Text(String(repeating: text.string, count: count), isMarkup: text.isMarkup))
        case .list(let list):
            try Limits.check(elements: Limits.product(list.elements.count, count))
            return try .list(of: Array(repeatElement(list.elements, count: count).joined()))
        case .tuple(let tuple):
            try Limits.check(elements: Limits.product(tuple.elements.count, count))
            return try .tuple(of: Array(repeatElement(tuple.elements, count: count).joined()))
        default: return nil
        }
    }

    private static func combined(_ symbol: BinaryOperator, _ numbers: Numbers) throws(Fault) -> Value {
        if let (left, right) = numbers.integers, symbol != .divide {
            return try Arithmetic.combined(symbol, left, right)
        }
        let (left, right) = numbers.floats
        switch symbol {
        case .add: return .float(left + right)
        case .subtract: return .float(left - right)
        case .multiply: return .float(left * right)
        case .divide, .floorDivide, .modulo:
            guard right != 0 else { throw .evaluation("a number is divided by zero") }
            switch symbol {
            case .divide: return .float(left / right)
            case .modulo: return .float(Arithmetic.divided(left, right).remainder)
            default: return .float(Arithmetic.divided(left, right).quotient)
            }
        case .power:
            guard left != 0 || right >= 0 else { throw .evaluation("zero has no negative power") }
            guard left >= 0 || right == right.rounded() else { throw .unsupported("a complex number") }
            let power = pow(left, right)
            guard power.isFinite || !left.isFinite || !right.isFinite else {
                throw .evaluation("a power is too large for a number")
            }
            return .float(power)
        }
    }

    func negated() throws(Fault) -> Value {
        switch self {
        case .undefined(let undefined): throw undefined.fault
        case .float(let value): return .float(-value)
        default:
            guard let value = wholeNumber else {
                throw .evaluation("a value of type '\(typeName)' has no negative")
            }
            return try Arithmetic.combined(.subtract, 0, value)
        }
    }

    func posited() throws(Fault) -> Value {
        switch self {
        case .undefined(let undefined): throw undefined.fault
        case .float: return self
        default:
            guard let value = wholeNumber else {
                throw .evaluation("'+' has no meaning for a value of type '\(typeName)'")
            }
            return .integer(value)
        }
    }
}

/// Python's arithmetic, in 64 bits: a larger integer is refused, since no template needs one.
enum Arithmetic {
    static func combined(_ symbol: BinaryOperator, _ left: Int, _ right: Int) throws(Fault) -> Value {
        let (result, overflows): (Int, Bool)
        switch symbol {
        case .add: (result, overflows) = left.addingReportingOverflow(right)
        case .subtract: (result, overflows) = left.subtractingReportingOverflow(right)
        case .multiply: (result, overflows) = left.multipliedReportingOverflow(by: right)
        case .floorDivide, .modulo:
            guard right != 0 else { throw .evaluation("a number is divided by zero") }
            guard right != -1 else { return symbol == .modulo ? .integer(0) : try combined(.subtract, 0, left) }
            let remainder = left % right
            let isCorrected = remainder != 0 && (remainder < 0) != (right < 0)
            (result, overflows) =
                symbol == .modulo
                ? (isCorrected ? remainder + right : remainder, false) : (left / right - (isCorrected ? 1 : 0), false)
        case .power:
            guard right >= 0 else {
                guard left != 0 else { throw .evaluation("zero has no negative power") }
                return .float(pow(Double(left), Double(right)))
            }
            (result, overflows) = power(left, right)
        case .divide: (result, overflows) = (0, true)
        }
        guard !overflows else { throw .unsupported("an integer beyond 64 bits") }
        return .integer(result)
    }

    private static func power(_ base: Int, _ exponent: Int) -> (Int, Bool) {
        var (result, square, rest) = (1, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 {
                let (product, overflows) = result.multipliedReportingOverflow(by: square)
                if overflows { return (0, true) }
                result = product
            }
            rest >>= 1
            if rest > 0 {
                let (product, overflows) = square.multipliedReportingOverflow(by: square)
                if overflows { return (0, true) }
                square = product
            }
        }
        return (result, false)
    }

    /// The quotient rounded down and the remainder, which has the divisor's sign.
    static func divided(_ left: Double, _ right: Double) -> (quotient: Double, remainder: Double) {
        var remainder = fmod(left, right)
        var quotient = (left - remainder) / right
        if remainder != 0 {
            if (right < 0) != (remainder < 0) {
                remainder += right
                quotient -= 1
            }
        } else {
            remainder = right < 0 ? -0.0 : 0.0
        }
        guard quotient != 0 else { return ((left / right).sign == .minus ? -0.0 : 0.0, remainder) }
        let floor = quotient.rounded(.down)
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder)
    }
}

extension Text {
    /// Both texts; where one is markup, the other one is escaped.
    func appending(_ other: Text) throws(Fault) -> Text {
        try Limits.check(textBytes: string.utf8.count + other.string.utf8.count)
        guard isMarkup || other.isMarkup else { return Text(string + other.string) }
        return Text(escaped + other.escaped, isMarkup: true)
    }

    /// The text with the five characters replaced that have a meaning in HTML, unless it is marked as escaped.
    var escaped: String {
        guard !isMarkup else { return string }
        var result = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
