extension Value {
    /// What Python's `str` makes of the value.
    func printed() throws(Fault) -> String {
        switch self {
        case .string(let text): text.string
        case .undefined: ""
        default: try represented()
        }
    }

    /// What Python's `repr` makes of the value.
    ///
    /// - Parameter depth: How many values it stands in.
    func represented(depth: Int = 0) throws(Fault) -> String {
        var text = ""
        try represent(into: &text, depth: depth)
        return text
    }

    private func represent(into text: inout String, depth: Int) throws(Fault) {
        try Limits.check(textBytes: text.utf8.count)
        // Only namespaces can stand so deep inside each other.
        guard depth <= Limits.nesting else {
            throw .limit("more than \(Limits.nesting) values stand inside each other")
        }
        switch self {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let value): text += value ? "True" : "False"
        case .integer(let value): text += String(value)
        case .float(let value): text += value.pythonDescription
        case .string(let string):
            string.isMarkup ? text += "Markup(\(string.string.quotedByPython))" : (text += string.string.quotedByPython)
        case .list(let list): try Self.represent(list.elements, "[", "]", into: &text, depth: depth)
        case .tuple(let tuple):
            try Self.represent(tuple.elements, "(", tuple.elements.count == 1 ? ",)" : ")", into: &text, depth: depth)
        case .dictionary(let dictionary): try Self.represent(dictionary, into: &text, depth: depth)
        case .view(let view):
            text += "\(typeName)("
            try Self.represent(view.elements(), "[", "])", into: &text, depth: depth)
        case .range(let range):
            text += "range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))")
        case .iterator: text += "<generator object>"
        case .object(let object): text += try object.text(depth: depth + 1)
        }
    }

    private static func represent(
        _ elements: [Value],
        _ opening: String,
        _ closing: String,
        into text: inout String,
        depth: Int
    ) throws(Fault) {
        text += opening
        for (position, element) in elements.enumerated() {
            if position > 0 { text += ", " }
            try element.represent(into: &text, depth: depth + 1)
        }
        text += closing
    }

    private static func represent(_ dictionary: ValueDictionary, into text: inout String, depth: Int) throws(Fault) {
        text += "{"
        for position in 0..<dictionary.count {
            if position > 0 { text += ", " }
            try dictionary.keys[position].represent(into: &text, depth: depth + 1)
            text += ": "
            try dictionary.values[position].represent(into: &text, depth: depth + 1)
        }
        text += "}"
    }
}

extension Double {
    /// What Python prints: the shortest digits that read back equal, with an exponent below 1e-4 and from 1e16 on.
    var pythonDescription: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        let (digits, exponent) = shortestDigits
        let sign = self.sign == .minus ? "-" : ""
        guard exponent >= -4, exponent < 16 else {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let power = String(Swift.abs(exponent))
            return
                "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power.count < 2 ? "0" : "")\(power)"
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let fraction = digits.dropFirst(exponent + 1)
        let zeros = String(repeating: "0", count: exponent + 1 - whole.count)
        return sign + whole + zeros + "." + (fraction.isEmpty ? "0" : fraction)
    }

    /// The digits without zeros at the end, and the power of ten of the first one.
    private var shortestDigits: (digits: String, exponent: Int) {
        let parts = "\(magnitude)".split(separator: "e")
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(number[0])
        let all = whole + (number.count > 1 ? number[1] : "")
        let significant = all.drop { $0 == "0" }
        guard !significant.isEmpty else { return ("0", 0) }
        let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count - 1 - (all.count - significant.count)
        var digits = String(significant)
        while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        return (digits, exponent)
    }
}

extension String {
    /// The text as Python's `repr` quotes it.
    var quotedByPython: String {
        let quote: Unicode.Scalar = unicodeScalars.contains("'") && !unicodeScalars.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView()
        result.append(quote)
        for scalar in unicodeScalars {
            switch scalar {
            case "\\", quote: result.append(contentsOf: ["\\", scalar])
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            case "\t": result.append(contentsOf: "\\t".unicodeScalars)
            default:
                if scalar.isPythonPrintable {
                    result.append(scalar)
                } else {
                    result.append(contentsOf: scalar.pythonEscape.unicodeScalars)
                }
            }
        }
        result.append(quote)
        return String(result)
    }
}

extension Unicode.Scalar {
    /// Whether Python's `repr` shows the character itself.
    var isPythonPrintable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }

    fileprivate var pythonEscape: String {
        let digits = String(value, radix: 16)
        let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
    }
}
