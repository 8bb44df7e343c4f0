import Foundation

/// How a number is written: what Python's two format languages share.
struct NumberFormat {
    var isAlternate = false
    /// The sign of what is not negative: empty, a plus or a space.
    var positiveSign = ""
    var precision: Int?
    /// What stands between groups of digits, if anything.
    var grouping: String?

    /// An integer in a radix, with its sign apart.
    func integer(_ value: Int, _ letter: Character) throws(Fault) -> (sign: String, digits: String) {
        let (radix, prefix): (Int, String) =
            switch letter {
            case "x", "X": (16, "0\(letter)")
            case "o": (8, "0o")
            case "b": (2, "0b")
            default: (10, "")
            }
        var digits = String(value.magnitude, radix: radix, uppercase: letter == "X")
        if let precision {
            try Limits.check(textBytes: precision)
            digits = String(repeating: "0", count: max(0, precision - digits.count)) + digits
        }
        digits = grouped(digits, size: radix == 10 ? 3 : 4)
        return (value < 0 ? "-" : positiveSign, (isAlternate ? prefix : "") + digits)
    }

    /// A number in one of the forms `e`, `f` and `g`, with its sign apart.
    func float(_ value: Double, _ letter: Character) throws(Fault) -> (sign: String, digits: String) {
        let precision = precision ?? 6
        guard precision <= 1000 else { throw .limit("a number is to have more than 1000 digits") }
        let sign = value.sign == .minus && !value.isNaN ? "-" : positiveSign
        var text: String
        if value.isNaN || value.isInfinite {
            text = value.isNaN ? "nan" : "inf"
            if letter.isUppercase { text = text.uppercased() }
        } else {
            text = String(format: "%\(isAlternate ? "#" : "").\(precision)\(letter)", value.magnitude)
        }
        return (sign, grouped(text, size: 3))
    }

    private func grouped(_ digits: String, size: Int) -> String {
        guard let grouping else { return digits }
        let whole = digits.prefix { $0.isHexDigit && $0 != "e" && $0 != "E" || size == 4 }
        var result = ""
        for (position, digit) in whole.enumerated() {
            if position > 0, (whole.count - position) % size == 0 { result += grouping }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }
}
