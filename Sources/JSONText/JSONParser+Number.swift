extension JSONParser {
    mutating func number() throws(JSONError) -> JSON {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        if isNegative, options.allowsNonFiniteNumbers, current == UInt8(ascii: "I") {
            return try word("Infinity", .number(-.infinity))
        }
        let digits = try digitRun()
        guard digits.count == 1 || bytes[digits.lowerBound] != UInt8(ascii: "0") else {
            throw fault("a number must not begin with 0", at: start)
        }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            _ = try digitRun()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            _ = try digitRun()
        }
        if isWhole, let integer = integer(digits, isNegative: isNegative) { return .integer(integer) }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw fault("the number \(text.prefix(40)) is too large", at: start)
        }
        return .number(value)
    }

    private mutating func digitRun() throws(JSONError) -> Range<Int> {
        let start = position
        while current >= UInt8(ascii: "0"), current <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw fault("expected a digit") }
        return start..<position
    }

    private func integer(_ digits: Range<Int>, isNegative: Bool) -> Int? {
        var value = 0
        for offset in digits {
            let digit = Int(bytes[offset] - UInt8(ascii: "0"))
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            // Negative numbers are summed downwards: the smallest integer has no positive counterpart.
            let (sum, sumOverflows) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if productOverflows || sumOverflows { return nil }
            value = sum
        }
        return value
    }
}
