import Foundation

extension Filters {
    static let numbers: [String: Filter] = [
        "abs": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "abs")
            if case .float(let number) = value { return .float(abs(number)) }
            let number = try value.asInteger("abs")
            return number < 0 ? try value.negated() : .integer(number)
        },
        "int": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["default", "base"], of: "int")
            return try integer(value, base: try values[1]?.asInteger("int") ?? 10) ?? values[0] ?? .integer(0)
        },
        "float": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["default"], of: "float")
            if case .undefined(let undefined) = value { throw undefined.fault }
            return value.number.map(Value.float) ?? value.parsedFloat.map(Value.float) ?? values[0] ?? .float(0)
        },
        "round": { (value, arguments, _) throws(Fault) in try round(value, arguments) },
        "sum": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["attribute", "start"], of: "sum")
            let getter = try AttributeGetter(values[0])
            var sum = values[1] ?? .integer(0)
            if case .string = sum { throw .evaluation("'sum' cannot add strings; 'join' can") }
            let iterator = try value.iterator()
            while let next = try iterator.next() { sum = try sum.combined(.add, try getter.value(of: next)) }
            return sum
        },
        "min": { (value, arguments, _) throws(Fault) in try extreme(value, arguments, "min", .less) },
        "max": { (value, arguments, _) throws(Fault) in try extreme(value, arguments, "max", .greater) },
    ]

    /// The integer that a value is or spells, or nil.
    private static func integer(_ value: Value, base: Int) throws(Fault) -> Value? {
        switch value {
        case .undefined(let undefined): throw undefined.fault
        case .bool, .integer: return value.wholeNumber.map(Value.integer)
        case .float(let number):
            guard !number.isInfinite else { throw .evaluation("infinity is no integer") }
            return number.isNaN ? nil : try whole(number)
        case .string(let text):
            if let number = IntegerText.value(text.string, base: base) { return .integer(number) }
            guard let number = value.parsedFloat, number.isFinite else { return nil }
            return try whole(number)
        default: return nil
        }
    }

    private static func whole(_ number: Double) throws(Fault) -> Value {
        guard let whole = Int(exactly: number.rounded(.towardZero)) else {
            throw .unsupported("an integer beyond 64 bits")
        }
        return .integer(whole)
    }

    private static func round(_ value: Value, _ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["precision", "method"], of: "round")
        let precision = try values[0]?.asInteger("round") ?? 0
        let method = try values[1].map { (method) throws(Fault) in try Value?.some(method).asText("round") } ?? "common"
        guard ["common", "ceil", "floor"].contains(method) else {
            throw .evaluation("'round' knows the methods common, ceil and floor")
        }
        guard let number = value.number else {
            throw .evaluation("'round' needs a number, not a value of type '\(value.typeName)'")
        }
        guard (-300...300).contains(precision) else { throw .limit("'round' is to keep more than 300 digits") }
        if method == "common" {
            if let whole = value.wholeNumber { return .integer(precision >= 0 ? whole : rounded(whole, -precision)) }
            return .float(rounded(number, precision))
        }
        let scale = pow(10, Double(precision))
        let scaled = number * scale
        guard scaled.isFinite else { throw .evaluation("'round' cannot round what is no finite number") }
        return .float((method == "ceil" ? scaled.rounded(.up) : scaled.rounded(.down)) / scale)
    }

    /// Rounds to the nearest decimal, halves to even, by the number's exact value.
    private static func rounded(_ number: Double, _ precision: Int) -> Double {
        guard number.isFinite else { return number }
        if precision >= 0 { return Double(String(format: "%.\(precision)f", number)) ?? number }
        let scale = pow(10, Double(-precision))
        return (number / scale).rounded(.toNearestOrEven) * scale
    }

    private static func rounded(_ number: Int, _ zeros: Int) -> Int {
        guard zeros < 19 else { return 0 }
        var scale = 1
        for _ in 0..<zeros { scale *= 10 }
        let remainder = ((number % scale) + scale) % scale
        let down = number - remainder
        let isUp = remainder * 2 > scale || remainder * 2 == scale && (down / scale) % 2 != 0
        return isUp ? down + scale : down
    }

    private static func extreme(
        _ value: Value,
        _ arguments: Arguments,
        _ name: String,
        _ order: ComparisonOperator
    ) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["case_sensitive", "attribute"], of: name)
        let getter = try AttributeGetter(values[1], ignoresCase: try !values[0].orNone.isTrue())
        let iterator = try value.iterator()
        guard var best = try iterator.next() else { return .because("an empty sequence has no '\(name)'") }
        var bestKey = try getter.value(of: best)
        while let next = try iterator.next() {
            let key = try getter.value(of: next)
            if try key.isOrdered(order, bestKey) { (best, bestKey) = (next, key) }
        }
        return best
    }
}

extension Value {
    /// The number that a string spells, by Python's rules.
    fileprivate var parsedFloat: Double? {
        guard case .string(let text) = self else { return nil }
        let digits = text.string.stripped().lowercased()
        switch digits.drop(while: { $0 == "+" || $0 == "-" }) {
        case "inf", "infinity": return digits.hasPrefix("-") ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        guard IntegerText.hasOnlySingleUnderscores(digits) else { return nil }
        let plain = digits.filter { $0 != "_" }
        guard plain.utf8.allSatisfy({ "0123456789.e+-".utf8.contains($0) }) else { return nil }
        // Swift reads neither "1." nor ".5".
        let parts = plain.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return Double(plain) }
        let sign = parts[0].first.map { $0 == "+" || $0 == "-" } == true ? String(parts[0].prefix(1)) : ""
        let whole = parts[0].dropFirst(sign.count)
        let fraction = parts[1].prefix { $0 != "e" }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        return Double(
            "\(sign)\(whole.isEmpty ? "0" : whole).\(fraction.isEmpty ? "0" : fraction)\(parts[1].dropFirst(fraction.count))"
        )
    }
}

/// Integers as Python's `int` reads them.
enum IntegerText {
    static func value(_ text: String, base: Int) -> Int? {
        var digits = text.stripped().lowercased()[...]
        let sign = digits.first.flatMap { $0 == "+" || $0 == "-" ? $0 : nil }
        if sign != nil { digits.removeFirst() }
        var radix = base
        for (prefix, prefixRadix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            guard base == 0 || base == prefixRadix else { continue }
            radix = prefixRadix
            digits.removeFirst(2)
            if digits.first == "_" { digits.removeFirst() }
        }
        if radix == 0 { radix = 10 }
        guard (2...36).contains(radix), hasOnlySingleUnderscores(String(digits)), digits.first != "+",
            digits.first != "-"
        else { return nil }
        let plain = digits.filter { $0 != "_" }
        return Int((sign == "-" ? "-" : "") + plain, radix: radix)
    }

    /// Whether each underscore stands between two digits.
    static func hasOnlySingleUnderscores(_ text: String) -> Bool {
        guard text.contains("_") else { return true }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        return parts.allSatisfy { $0.first?.isHexDigit == true && $0.last?.isHexDigit == true }
    }
}
