extension String {
    /// The text with occurrences of another one replaced, as many as `limit` says, all where it is negative.
    func replacing(_ old: String, with new: String, limit: Int = -1) throws(Fault) -> String {
        if old.isEmpty { return try interspersed(with: new, limit: limit) }
        let parts = split(by: old, limit: limit)
        return parts.count == 1 ? self : try parts.joined(by: new)
    }

    private func interspersed(with new: String, limit: Int) throws(Fault) -> String {
        let count = unicodeScalars.count + 1
        let insertions = limit < 0 ? count : Swift.min(limit, count)
        try Limits.check(textBytes: Limits.product(insertions, new.utf8.count) &+ utf8.count)
        var result = ""
        for (position, scalar) in unicodeScalars.enumerated() {
            if position < insertions { result += new }
            result.unicodeScalars.append(scalar)
        }
        return insertions == count ? result + new : result
    }

    /// The parts between separators, or between white space where there is none.
    func split(by separator: String?, limit: Int) -> [String] {
        guard let separator else { return words(limit: limit, fromEnd: false) }
        var parts: [String] = []
        var start = startIndex
        while limit < 0 || parts.count < limit, let range = firstRange(of: separator, from: start) {
            parts.append(String(self[start..<range.lowerBound]))
            start = range.upperBound
        }
        return parts + [String(self[start...])]
    }

    /// The parts between separators, found from the end.
    func split(fromEndBy separator: String?, limit: Int) -> [String] {
        guard let separator else { return words(limit: limit, fromEnd: true) }
        func reversed(_ text: String) -> String { String(scalars: text.unicodeScalars.reversed()) }
        return reversed(self).split(by: reversed(separator), limit: limit).reversed().map(reversed)
    }

    private func words(limit: Int, fromEnd: Bool) -> [String] {
        let scalars: [Unicode.Scalar] = fromEnd ? unicodeScalars.reversed() : Array(unicodeScalars)
        var words: [[Unicode.Scalar]] = []
        var rest = scalars[...].drop(while: \.isPythonSpace)
        while !rest.isEmpty {
            if limit >= 0, words.count == limit {
                words.append(Array(rest))
                break
            }
            let word = rest.prefix { !$0.isPythonSpace }
            words.append(Array(word))
            rest = rest[word.endIndex...].drop(while: \.isPythonSpace)
        }
        return fromEnd ? words.reversed().map { String(scalars: $0.reversed()) } : words.map { String(scalars: $0) }
    }

    /// The lines, which end where Python ends them.
    func lines(keepsEnds: Bool) -> [String] {
        let scalars = Array(unicodeScalars)
        var lines: [String] = []
        var start = 0
        var position = 0
        while position < scalars.count {
            guard scalars[position].endsLine else {
                position += 1
                continue
            }
            let end = position
            position +=
                scalars[position] == "\r" && position + 1 < scalars.count && scalars[position + 1] == "\n" ? 2 : 1
            lines.append(String(scalars: scalars[start..<(keepsEnds ? position : end)]))
            start = position
        }
        if start < scalars.count { lines.append(String(scalars: scalars[start...])) }
        return lines
    }

    /// The text without characters at its ends: those of a set, or white space.
    func stripped(of characters: String? = nil, _ sides: (start: Bool, end: Bool) = (true, true)) -> String {
        let set = characters.map { Set($0.unicodeScalars) }
        func belongs(_ scalar: Unicode.Scalar) -> Bool { set?.contains(scalar) ?? scalar.isPythonSpace }
        var scalars = unicodeScalars[...]
        if sides.start { scalars = scalars.drop(while: belongs) }
        if sides.end { while let last = scalars.last, belongs(last) { scalars.removeLast() } }
        return String(scalars)
    }

    func padded(to width: Int, with fill: String, left: (Int, Int) -> Int) throws(Fault) -> String {
        let missing = width - unicodeScalars.count
        guard missing > 0 else { return self }
        try Limits.check(textBytes: Limits.product(missing, 4))
        let front = left(missing, width)
        return String(repeating: fill, count: front) + self + String(repeating: fill, count: missing - front)
    }

    func expandingTabs(to width: Int) throws(Fault) -> String {
        var result = String.UnicodeScalarView()
        var column = 0
        for scalar in unicodeScalars {
            if scalar == "\t" {
                let count = width > 0 ? width - column % width : 0
                try Limits.check(textBytes: column + count)
                result.append(contentsOf: repeatElement(" ", count: count))
                column += count
            } else {
                result.append(scalar)
                column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
            }
        }
        return String(result)
    }
}

extension [String] {
    /// The texts with another one between them.
    func joined(by separator: String) throws(Fault) -> String {
        var count = Limits.product(separator.utf8.count, Swift.max(0, self.count - 1))
        for part in self { count = count &+ part.utf8.count }
        try Limits.check(textBytes: count)
        return joined(separator: separator)
    }
}

extension String {
    /// Python's `lower`: sigma at a word's end has a form of its own.
    var lowercasedByPython: String {
        guard unicodeScalars.contains("Σ") else { return mapped(\.properties.lowercaseMapping) }
        let scalars = Array(unicodeScalars)
        var result = ""
        for (position, scalar) in scalars.enumerated() {
            let isFinal = scalar == "Σ" && Self.isFinalSigma(position, scalars)
            result += isFinal ? "ς" : scalar.properties.lowercaseMapping
        }
        return result
    }

    private static func isFinalSigma(_ position: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        let before = scalars[..<position].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(position + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }

    private func mapped(_ mapping: (Unicode.Scalar) -> String) -> String {
        var result = ""
        for scalar in unicodeScalars { result += mapping(scalar) }
        return result
    }

    var caseFolded: String {
        // Folding is lowering the upper case, but for the few characters whose upper case is not their only one.
        mapped { scalar in
            switch scalar {
            case "ß", "ẞ": "ss"
            case "ς": "σ"
            case "İ": "i\u{307}"
            default: String(scalar).mapped(\.properties.lowercaseMapping)
            }
        }
    }

    var capitalizedByPython: String {
        guard let first = unicodeScalars.first else { return self }
        let lowered = String(scalars: unicodeScalars.dropFirst())
        let rest =
            unicodeScalars.contains("Σ")
            ? String(lowercasedByPython.unicodeScalars.dropFirst(String(first).lowercasedByPython.unicodeScalars.count))
            : lowered.lowercasedByPython
        return first.properties.titlecaseMapping + rest
    }

    var titledByPython: String {
        var result = ""
        var followsCased = false
        let scalars = Array(unicodeScalars)
        for (position, scalar) in scalars.enumerated() {
            if !followsCased {
                result += scalar.properties.titlecaseMapping
            } else if scalar == "Σ" {
                result += Self.isFinalSigma(position, scalars) ? "ς" : "σ"
            } else {
                result += scalar.properties.lowercaseMapping
            }
            followsCased = scalar.properties.isCased
        }
        return result
    }

    var swappingCase: String {
        let scalars = Array(unicodeScalars)
        var result = ""
        for (position, scalar) in scalars.enumerated() {
            if scalar.properties.isUppercase {
                let isFinal = scalar == "Σ" && Self.isFinalSigma(position, scalars)
                result += isFinal ? "ς" : scalar.properties.lowercaseMapping
            } else if scalar.properties.isLowercase {
                result += scalar.properties.uppercaseMapping
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    var isLowerByPython: Bool {
        unicodeScalars.contains(where: \.properties.isLowercase)
            && !unicodeScalars.contains { $0.properties.isUppercase || $0.isTitlecase }
    }

    var isUpperByPython: Bool {
        unicodeScalars.contains(where: \.properties.isUppercase)
            && !unicodeScalars.contains { $0.properties.isLowercase || $0.isTitlecase }
    }

    var isTitleByPython: Bool {
        var (followsCased, hasCased) = (false, false)
        for scalar in unicodeScalars {
            if scalar.properties.isUppercase || scalar.isTitlecase {
                if followsCased { return false }
                (followsCased, hasCased) = (true, true)
            } else if scalar.properties.isLowercase {
                if !followsCased { return false }
                (followsCased, hasCased) = (true, true)
            } else {
                followsCased = false
            }
        }
        return hasCased
    }
}

extension Unicode.Scalar {
    fileprivate var isTitlecase: Bool { properties.generalCategory == .titlecaseLetter }

    /// Where Python's `splitlines` ends a line.
    var endsLine: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    var isPythonAlphabetic: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    var isPythonDigit: Bool { properties.numericType == .decimal || properties.numericType == .digit }

    var isPythonNumeric: Bool { properties.numericType != nil }
}
