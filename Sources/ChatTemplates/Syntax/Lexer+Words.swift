extension Lexer {
    /// Takes the word that begins here.
    mutating func word(_ first: Unicode.Scalar) throws(Fault) -> Token {
        let start = position
        if first == "'" || first == "\"" {
            return Token(kind: .string, text: try takeString(quote: first), position: start)
        }
        if first.isASCIIDigit { return try takeNumber() }
        if first == "_" || first.isNamePart {
            let name = takeRun(\.isNamePart)
            guard first == "_" || first.properties.isXIDStart else {
                throw Self.fault("'\(name)' is no name", start)
            }
            return Token(kind: .name, text: name, position: start)
        }
        let pair = String(scalars: scalars[start..<min(start + 2, scalars.count)])
        let symbol = ["==", "!=", "<=", ">=", "//", "**"].contains(pair) ? pair : String(first)
        guard symbol.utf8.count == 2 || "+-*/%~<>=()[]{},.:|;".unicodeScalars.contains(first) else {
            throw Self.fault("'\(symbol)' has no meaning in a tag", start)
        }
        position += symbol.utf8.count
        return Token(kind: .symbol, text: symbol, position: start)
    }

    private mutating func takeRun(_ belongs: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while let next = scalar(position), belongs(next) { position += 1 }
        return String(scalars: scalars[start..<position])
    }

    /// Takes digits between which single underscores may stand.
    private mutating func takeDigits(_ isDigit: (Unicode.Scalar) -> Bool = \.isASCIIDigit) -> String {
        var digits = ""
        while let next = scalar(position) {
            if isDigit(next) {
                digits.unicodeScalars.append(next)
                position += 1
            } else if next == "_", !digits.isEmpty, let second = scalar(position + 1), isDigit(second) {
                position += 1
            } else {
                break
            }
        }
        return digits
    }

    private mutating func takeNumber() throws(Fault) -> Token {
        let start = position
        if scalars[position] == "0", let radix = scalar(position + 1).flatMap(Self.radix) {
            position += 2
            if scalar(position) == "_" { position += 1 }
            let digits = takeDigits { $0.isASCII && Int(String($0), radix: radix) != nil }
            if !digits.isEmpty { return try integer(digits, radix: radix, start) }
            position = start
        }
        var digits = takeDigits()
        var isFloat = false
        // A number behind a dot, as in `list.0`, has no fraction.
        if start == 0 || scalars[start - 1] != "." {
            isFloat = takeFraction(&digits)
            isFloat = takeExponent(&digits) || isFloat
        }
        if isFloat { return Token(kind: .float(Double(digits) ?? 0), text: digits, position: start) }
        // 012 is 0 and 12, which no rule of the language puts together.
        if digits.hasPrefix("0"), digits.contains(where: { $0 != "0" }) {
            throw Self.fault("the number \(digits) must not begin with 0", start)
        }
        return try integer(digits, radix: 10, start)
    }

    private static func radix(_ letter: Unicode.Scalar) -> Int? {
        switch letter {
        case "x", "X": 16
        case "o", "O": 8
        case "b", "B": 2
        default: nil
        }
    }

    private func integer(_ digits: String, radix: Int, _ start: Int) throws(Fault) -> Token {
        guard let value = Int(digits, radix: radix) else {
            throw Fault(problem: .unsupported("the number \(digits), which is beyond 64 bits,"), position: start)
        }
        return Token(kind: .integer(value), text: digits, position: start)
    }

    private mutating func takeFraction(_ digits: inout String) -> Bool {
        guard scalar(position) == ".", scalar(position + 1)?.isASCIIDigit == true else { return false }
        position += 1
        digits += "." + takeDigits()
        return true
    }

    private mutating func takeExponent(_ digits: inout String) -> Bool {
        guard let letter = scalar(position), letter == "e" || letter == "E" else { return false }
        let sign = scalar(position + 1).flatMap { $0 == "+" || $0 == "-" ? $0 : nil }
        let start = position + (sign == nil ? 1 : 2)
        guard scalar(start)?.isASCIIDigit == true else { return false }
        position = start
        digits += "e" + (sign.map(String.init) ?? "") + takeDigits()
        return true
    }

    private mutating func takeString(quote: Unicode.Scalar) throws(Fault) -> String {
        let start = position
        var text = String.UnicodeScalarView()
        position += 1
        while let next = scalar(position) {
            position += 1
            if next == quote { return String(text) }
            if next == "\\" { text.append(contentsOf: try takeEscape(start)) } else { text.append(next) }
        }
        throw Self.fault("a string is not closed", start)
    }

    /// Takes what stands behind a backslash; one without a meaning stands for itself, as in Python.
    private mutating func takeEscape(_ start: Int) throws(Fault) -> [Unicode.Scalar] {
        guard let next = scalar(position) else { throw Self.fault("a string is not closed", start) }
        position += 1
        switch next {
        case "\n": return []
        case "\\", "'", "\"": return [next]
        case "a": return ["\u{7}"]
        case "b": return ["\u{8}"]
        case "f": return ["\u{C}"]
        case "n": return ["\n"]
        case "r": return ["\r"]
        case "t": return ["\t"]
        case "v": return ["\u{B}"]
        case "x": return [try takeCode(digits: 2, start)]
        case "u": return [try takeCode(digits: 4, start)]
        case "U": return [try takeCode(digits: 8, start)]
        case "N": throw Fault(problem: .unsupported("a character's name in a string"), position: start)
        case "0"..."7": return [octal(next)]
        default: return ["\\", next]
        }
    }

    private mutating func octal(_ first: Unicode.Scalar) -> Unicode.Scalar {
        var value = first.value - 0x30
        for _ in 0..<2 {
            guard let next = scalar(position), ("0"..."7").contains(next) else { break }
            value = value * 8 + next.value - 0x30
            position += 1
        }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    private mutating func takeCode(digits: Int, _ start: Int) throws(Fault) -> Unicode.Scalar {
        let end = min(position + digits, scalars.count)
        let text = String(scalars: scalars[position..<end])
        guard text.utf8.count == digits, let code = UInt32(text, radix: 16), text.first != "+" else {
            throw Self.fault("an escape in a string is cut short", start)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw Fault(problem: .unsupported("an escape in a string that names no character"), position: start)
        }
        position = end
        return scalar
    }
}

extension Unicode.Scalar {
    fileprivate var isNamePart: Bool {
        if value < 0x80 { return self == "_" || properties.isAlphabetic || isASCIIDigit }
        return properties.isXIDContinue || properties.numericType != nil
    }
}
