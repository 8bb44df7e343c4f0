/// The methods of strings, as Python has them.
enum StringMethods {
    /// A method bound to a text, or nil where strings have no such method.
    static func method(_ name: String, of text: Text) -> Function? {
        guard let method = methods[name] else { return nil }
        return Function(name) { (arguments) throws(Fault) in
            let result = try method(text.string, text.isMarkup ? arguments.escaped : arguments)
            return text.isMarkup ? try result.marked() : result
        }
    }

    private typealias Method = @Sendable (String, Arguments) throws(Fault) -> Value

    private static let methods: [String: Method] = searching.merging(cases) { $1 }.merging(layout) { $1 }
        .merging(questions) { $1 }

    private static let searching: [String: Method] = [
        "startswith": { (text, arguments) throws(Fault) in
            try affix(arguments, of: "startswith", in: text) { $0.utf8.starts(with: $1.utf8) }
        },
        "endswith": { (text, arguments) throws(Fault) in
            try affix(arguments, of: "endswith", in: text) { $0.utf8.reversed().starts(with: $1.utf8.reversed()) }
        },
        "find": { (text, arguments) throws(Fault) in .integer(try place(arguments, "find", text) ?? -1) },
        "rfind": { (text, arguments) throws(Fault) in .integer(try place(arguments, "rfind", text, isLast: true) ?? -1)
        },
        "index": { (text, arguments) throws(Fault) in .integer(try known(try place(arguments, "index", text))) },
        "rindex": { (text, arguments) throws(Fault) in
            .integer(try known(try place(arguments, "rindex", text, isLast: true)))
        },
        "count": { (text, arguments) throws(Fault) in try occurrences(arguments, text) },
        "replace": { (text, arguments) throws(Fault) in
            let values = try arguments.bound(to: ["/old", "/new", "count"], required: 2, of: "replace")
            let limit = try values[2].map { (value) throws(Fault) in try value.asInteger("replace") } ?? -1
            return .text(
                try text.replacing(values[0].asText("replace"), with: values[1].asText("replace"), limit: limit)
            )
        },
        "split": { (text, arguments) throws(Fault) in
            try split(arguments, "split", text) { $0.split(by: $1, limit: $2) }
        },
        "rsplit": { (text, arguments) throws(Fault) in
            try split(arguments, "rsplit", text) { $0.split(fromEndBy: $1, limit: $2) }
        },
        "splitlines": { (text, arguments) throws(Fault) in
            let values = try arguments.bound(to: ["keepends"], of: "splitlines")
            return try .list(of: text.lines(keepsEnds: values[0].orNone.isTrue()).map(Value.text))
        },
        "partition": { (text, arguments) throws(Fault) in try partition(arguments, "partition", text) },
        "rpartition": { (text, arguments) throws(Fault) in try partition(arguments, "rpartition", text, isLast: true) },
        "join": { (text, arguments) throws(Fault) in
            let values = try arguments.bound(to: ["/iterable"], required: 1, of: "join")
            let parts = try values[0].orNone.elements().map { (part) throws(Fault) in
                try Value?.some(part).asText("join")
            }
            return .text(try parts.joined(by: text))
        },
        "removeprefix": { (text, arguments) throws(Fault) in
            let prefix = try arguments.bound(to: ["/prefix"], required: 1, of: "removeprefix")[0].asText("removeprefix")
            return .text(
                text.utf8.starts(with: prefix.utf8) ? String(Substring(text.utf8.dropFirst(prefix.utf8.count))) : text
            )
        },
        "removesuffix": { (text, arguments) throws(Fault) in
            let suffix = try arguments.bound(to: ["/suffix"], required: 1, of: "removesuffix")[0].asText("removesuffix")
            let ends = text.utf8.reversed().starts(with: suffix.utf8.reversed())
            return .text(ends ? String(Substring(text.utf8.dropLast(suffix.utf8.count))) : text)
        },
    ]

    private static let layout: [String: Method] = [
        "strip": { (text, arguments) throws(Fault) in try strip(arguments, "strip", text, (true, true)) },
        "lstrip": { (text, arguments) throws(Fault) in try strip(arguments, "lstrip", text, (true, false)) },
        "rstrip": { (text, arguments) throws(Fault) in try strip(arguments, "rstrip", text, (false, true)) },
        "center": { (text, arguments) throws(Fault) in
            try pad(arguments, "center", text) { missing, width in missing / 2 + (missing & width & 1) }
        },
        "ljust": { (text, arguments) throws(Fault) in try pad(arguments, "ljust", text) { _, _ in 0 } },
        "rjust": { (text, arguments) throws(Fault) in try pad(arguments, "rjust", text) { missing, _ in missing } },
        "zfill": { (text, arguments) throws(Fault) in
            let width = try arguments.bound(to: ["/width"], required: 1, of: "zfill")[0].orNone.asInteger("zfill")
            try Limits.check(textBytes: width)
            let zeros = String(repeating: "0", count: max(0, width - text.unicodeScalars.count))
            let isSigned = text.first == "+" || text.first == "-"
            return .text(isSigned ? text.prefix(1) + zeros + text.dropFirst() : zeros + text)
        },
        "expandtabs": { (text, arguments) throws(Fault) in
            let width = try arguments.bound(to: ["tabsize"], of: "expandtabs")[0]
            return .text(
                try text.expandingTabs(
                    to: try width.map { (width) throws(Fault) in try width.asInteger("expandtabs") } ?? 8
                )
            )
        },
        "format": { (text, arguments) throws(Fault) in .text(try BraceFormat.format(text, arguments)) },
        "format_map": { (text, arguments) throws(Fault) in
            let values = try arguments.bound(to: ["/mapping"], required: 1, of: "format_map")
            guard case .dictionary(let mapping)? = values[0] else {
                throw .evaluation("'format_map' needs a dictionary")
            }
            var named = Arguments()
            for (key, value) in zip(mapping.keys, mapping.values) {
                if case .string(let name) = key { named.named.append((name.string, value)) }
            }
            return .text(try BraceFormat.format(text, named))
        },
    ]

    private static let cases: [String: Method] = [
        "upper": { (text, arguments) throws(Fault) in try plain(arguments, "upper", text.uppercased()) },
        "lower": { (text, arguments) throws(Fault) in try plain(arguments, "lower", text.lowercasedByPython) },
        "casefold": { (text, arguments) throws(Fault) in try plain(arguments, "casefold", text.caseFolded) },
        "capitalize": { (text, arguments) throws(Fault) in try plain(arguments, "capitalize", text.capitalizedByPython)
        },
        "title": { (text, arguments) throws(Fault) in try plain(arguments, "title", text.titledByPython) },
        "swapcase": { (text, arguments) throws(Fault) in try plain(arguments, "swapcase", text.swappingCase) },
    ]

    private static let questions: [String: Method] = [
        "isalnum": question { $0.isPythonAlphabetic || $0.isPythonNumeric },
        "isalpha": question(\.isPythonAlphabetic),
        "isdecimal": question { $0.properties.generalCategory == .decimalNumber },
        "isdigit": question(\.isPythonDigit),
        "isnumeric": question(\.isPythonNumeric),
        "isspace": question(\.isPythonSpace),
        "isascii": { (text, arguments) throws(Fault) in
            try answer(arguments, "isascii", text.utf8.allSatisfy { $0 < 0x80 })
        },
        "isprintable": { (text, arguments) throws(Fault) in
            try answer(arguments, "isprintable", text.unicodeScalars.allSatisfy(\.isPythonPrintable))
        },
        "isidentifier": { (text, arguments) throws(Fault) in
            let scalars = text.unicodeScalars
            let isName = scalars.first.map { $0 == "_" || $0.properties.isXIDStart } ?? false
            return try answer(arguments, "isidentifier", isName && scalars.allSatisfy(\.properties.isXIDContinue))
        },
        "islower": { (text, arguments) throws(Fault) in try answer(arguments, "islower", text.isLowerByPython) },
        "isupper": { (text, arguments) throws(Fault) in try answer(arguments, "isupper", text.isUpperByPython) },
        "istitle": { (text, arguments) throws(Fault) in try answer(arguments, "istitle", text.isTitleByPython) },
    ]
}

extension StringMethods {
    private static func plain(_ arguments: Arguments, _ name: String, _ text: String) throws(Fault) -> Value {
        _ = try arguments.bound(to: [], of: name)
        return .text(text)
    }

    private static func answer(_ arguments: Arguments, _ name: String, _ answer: Bool) throws(Fault) -> Value {
        _ = try arguments.bound(to: [], of: name)
        return .bool(answer)
    }

    private static func question(_ holds: @escaping @Sendable (Unicode.Scalar) -> Bool) -> Method {
        { (text, arguments) throws(Fault) in
            try answer(arguments, "is…", !text.isEmpty && text.unicodeScalars.allSatisfy(holds))
        }
    }

    private static func affix(
        _ arguments: Arguments,
        of name: String,
        in text: String,
        _ holds: (String, String) -> Bool
    ) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["/affix", "/start", "/end"], required: 1, of: name)
        guard let range = try range(values[1], values[2], name, text) else { return .bool(false) }
        let part = String(scalars: Array(text.unicodeScalars)[range])
        guard case .tuple(let tuple)? = values[0] else { return .bool(holds(part, try values[0].asText(name))) }
        for affix in tuple.elements where try holds(part, Value?.some(affix).asText(name)) { return .bool(true) }
        return .bool(false)
    }

    /// The characters between two bounds, or nil where the first one is beyond the end.
    private static func range(_ start: Value?, _ end: Value?, _ name: String, _ text: String) throws(Fault) -> Range<
        Int
    >? {
        let count = text.unicodeScalars.count
        func place(_ bound: Value?, _ defaultPlace: Int) throws(Fault) -> Int {
            guard let bound, !bound.isNone else { return defaultPlace }
            let place = try bound.asInteger(name)
            return place < 0 ? max(0, place + count) : place
        }
        let (start, end) = (try place(start, 0), min(count, try place(end, count)))
        return start <= end ? start..<end : nil
    }

    private static func place(
        _ arguments: Arguments,
        _ name: String,
        _ text: String,
        isLast: Bool = false
    ) throws(Fault) -> Int? {
        let values = try arguments.bound(to: ["/sub", "/start", "/end"], required: 1, of: name)
        let part = Array(try values[0].asText(name).unicodeScalars)
        guard let range = try range(values[1], values[2], name, text), range.count >= part.count else { return nil }
        let scalars = Array(text.unicodeScalars)
        let starts = range.lowerBound...(range.upperBound - part.count)
        func matches(_ start: Int) -> Bool { scalars[start..<start + part.count].elementsEqual(part) }
        return isLast ? starts.last(where: matches) : starts.first(where: matches)
    }

    private static func known(_ place: Int?) throws(Fault) -> Int {
        guard let place else { throw .evaluation("the string does not hold the other one") }
        return place
    }

    private static func occurrences(_ arguments: Arguments, _ text: String) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["/sub", "/start", "/end"], required: 1, of: "count")
        let part = try values[0].asText("count")
        guard let range = try range(values[1], values[2], "count", text) else { return .integer(0) }
        let stretch = String(scalars: Array(text.unicodeScalars)[range])
        return .integer(part.isEmpty ? range.count + 1 : stretch.split(by: part, limit: -1).count - 1)
    }

    private static func split(
        _ arguments: Arguments,
        _ name: String,
        _ text: String,
        _ cut: (String, String?, Int) -> [String]
    ) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["sep", "maxsplit"], of: name)
        let limit = try values[1].map { (limit) throws(Fault) in try limit.asInteger(name) } ?? -1
        if values[0].orNone.isNone { return try .list(of: cut(text, nil, limit).map(Value.text)) }
        let separator = try values[0].asText(name)
        guard !separator.isEmpty else { throw .evaluation("'\(name)' needs a separator that is not empty") }
        return try .list(of: cut(text, separator, limit).map(Value.text))
    }

    private static func partition(
        _ arguments: Arguments,
        _ name: String,
        _ text: String,
        isLast: Bool = false
    ) throws(Fault) -> Value {
        let separator = try arguments.bound(to: ["/sep"], required: 1, of: name)[0].asText(name)
        guard !separator.isEmpty else { throw .evaluation("'\(name)' needs a separator that is not empty") }
        let parts = isLast ? text.split(fromEndBy: separator, limit: 1) : text.split(by: separator, limit: 1)
        let empty = Value.text("")
        if parts.count == 1 {
            return try .tuple(of: isLast ? [empty, empty, .text(text)] : [.text(text), empty, empty])
        }
        return try .tuple(of: [.text(parts[0]), .text(separator), .text(parts[1])])
    }

    private static func strip(
        _ arguments: Arguments,
        _ name: String,
        _ text: String,
        _ sides: (start: Bool, end: Bool)
    ) throws(Fault) -> Value {
        let characters = try arguments.bound(to: ["/chars"], of: name)[0].orNone
        return .text(text.stripped(of: characters.isNone ? nil : try Value?.some(characters).asText(name), sides))
    }

    private static func pad(
        _ arguments: Arguments,
        _ name: String,
        _ text: String,
        _ left: (Int, Int) -> Int
    ) throws(Fault) -> Value {
        let values = try arguments.bound(to: ["/width", "/fillchar"], required: 1, of: name)
        let fill = try values[1].map { (fill) throws(Fault) in try Value?.some(fill).asText(name) } ?? " "
        guard fill.unicodeScalars.count == 1 else { throw .evaluation("'\(name)' fills with one character") }
        let width = try values[0].orNone.asInteger(name)
        return .text(try text.padded(to: width, with: fill, left: left))
    }
}

extension Arguments {
    /// The same with every string escaped that is not marked as markup.
    fileprivate var escaped: Arguments {
        func escaped(_ value: Value) -> Value {
            if case .string(let text) = value { .string(Text(text.escaped, isMarkup: true)) } else { value }
        }
        return Arguments(positional: positional.map(escaped), named: named.map { ($0.name, escaped($0.value)) })
    }
}

extension Value {
    /// The same with every string marked as markup.
    fileprivate func marked() throws(Fault) -> Value {
        switch self {
        case .string(let text): .string(Text(text.string, isMarkup: true))
        case .list(let list): try .list(of: list.elements.map { (value) throws(Fault) in try value.marked() })
        case .tuple(let tuple): try .tuple(of: tuple.elements.map { (value) throws(Fault) in try value.marked() })
        default: self
        }
    }

    func asInteger(_ name: String) throws(Fault) -> Int {
        guard let value = wholeNumber else {
            throw .evaluation("'\(name)' needs an integer, not a value of type '\(typeName)'")
        }
        return value
    }
}

extension Value? {
    var orNone: Value { self ?? .none }

    func asText(_ name: String) throws(Fault) -> String {
        guard case .string(let text)? = self else {
            throw .evaluation("'\(name)' needs a string, not a value of type '\(orNone.typeName)'")
        }
        return text.string
    }
}
