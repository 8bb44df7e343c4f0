/// The filter `tojson` as transformers has it: Python's `json.dumps`, which leaves characters as they are unless asked to escape them.
struct JSONOutput {
    let isASCII: Bool
    let indent: String?
    let itemSeparator: String
    let keySeparator: String
    let sortsKeys: Bool
    private var text = ""
    private var level = 0

    static func filter(_ value: Value, _ arguments: Arguments) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["ensure_ascii", "indent", "separators", "sort_keys"], of: "tojson")
        var indent: String?
        if let value = values[1], !value.isNone {
            if case .string(let text) = value {
                indent = text.string
            } else {
                let width = try value.asInteger("tojson")
                try Limits.check(textBytes: width)
                indent = String(repeating: " ", count: max(0, width))
            }
        }
        var separators = [indent == nil ? ", " : ",", ": "]
        if let value = values[2], !value.isNone {
            separators = try value.elements().map { (part) throws(Fault) in try Value?.some(part).asText("tojson") }
            guard separators.count == 2 else { throw .evaluation("'tojson' needs two separators") }
        }
        var output = JSONOutput(
            isASCII: try values[0].orNone.isTrue(),
            indent: indent,
            itemSeparator: separators[0],
            keySeparator: separators[1],
            sortsKeys: try values[3].orNone.isTrue()
        )
        try output.write(value)
        return .text(output.text)
    }

    private init(isASCII: Bool, indent: String?, itemSeparator: String, keySeparator: String, sortsKeys: Bool) {
        self.isASCII = isASCII
        self.indent = indent
        self.itemSeparator = itemSeparator
        self.keySeparator = keySeparator
        self.sortsKeys = sortsKeys
    }

    private mutating func write(_ value: Value) throws(Fault) {
        try Limits.check(textBytes: text.utf8.count)
        switch value {
        case .none: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .float(let value): text += Self.number(value)
        case .string(let string): write(string.string)
        case .list(let list): try write(list.elements)
        case .tuple(let tuple): try write(tuple.elements)
        case .dictionary(let dictionary): try write(dictionary)
        default: throw .evaluation("a value of type '\(value.typeName)' cannot be written as JSON")
        }
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : value.pythonDescription
    }

    private mutating func write(_ elements: [Value]) throws(Fault) {
        guard !elements.isEmpty else {
            text += "[]"
            return
        }
        open("[")
        for (position, element) in elements.enumerated() {
            if position > 0 { separate() }
            try write(element)
        }
        close("]")
    }

    private mutating func write(_ dictionary: ValueDictionary) throws(Fault) {
        guard dictionary.count > 0 else {
            text += "{}"
            return
        }
        var members = Array(zip(dictionary.keys, dictionary.values))
        if sortsKeys {
            members = try members.sorted { (left, right) throws(Fault) in try left.0.isLess(than: right.0) }
        }
        open("{")
        for (position, (key, value)) in members.enumerated() {
            if position > 0 { separate() }
            write(try Self.key(key))
            text += keySeparator
            try write(value)
        }
        close("}")
    }

    private static func key(_ key: Value) throws(Fault) -> String {
        switch key {
        case .string(let text): text.string
        case .none: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .float(let value): number(value)
        default: throw .evaluation("a value of type '\(key.typeName)' cannot be a key of JSON")
        }
    }

    private mutating func open(_ bracket: String) {
        text += bracket
        level += 1
        startLine()
    }

    private mutating func separate() {
        text += itemSeparator
        startLine()
    }

    private mutating func close(_ bracket: String) {
        level -= 1
        startLine()
        text += bracket
    }

    private mutating func startLine() {
        guard let indent else { return }
        text += "\n" + String(repeating: indent, count: level)
    }

    private mutating func write(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{C}": text += "\\f"
            default:
                if scalar.value < 0x20 || isASCII && scalar.value > 0x7E {
                    for unit in String(scalar).utf16 {
                        let digits = String(unit, radix: 16)
                        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                    }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
        text += "\""
    }
}

extension Array {
    /// Sorted so that equal elements keep their order, by a comparison that may fail.
    func sorted(by isLess: (Element, Element) throws(Fault) -> Bool) throws(Fault) -> [Element] {
        guard count > 1 else { return self }
        let middle = count / 2
        let left = try Array(self[..<middle]).sorted(by: isLess)
        let right = try Array(self[middle...]).sorted(by: isLess)
        var result: [Element] = []
        result.reserveCapacity(count)
        var (first, second) = (0, 0)
        while first < left.count, second < right.count {
            if try isLess(right[second], left[first]) {
                result.append(right[second])
                second += 1
            } else {
                result.append(left[first])
                first += 1
            }
        }
        return result + left[first...] + right[second...]
    }
}
