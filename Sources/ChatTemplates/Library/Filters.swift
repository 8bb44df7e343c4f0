/// Jinja's filters.
enum Filters {
    typealias Filter = @Sendable (Value, Arguments, Interpreter) throws(Fault) -> Value

    static func exist(_ name: String) -> Bool { all[name] != nil }

    static func unknown(_ name: String) -> Fault { .evaluation("there is no filter '\(name)'") }

    static func apply(_ name: String, _ value: Value, _ arguments: Arguments, _ interpreter: Interpreter) throws(Fault)
        -> Value
    {
        guard let filter = all[name] else { throw unknown(name) }
        return try filter(value, arguments, interpreter)
    }

    private static let all = texts.merging(layout) { $1 }.merging(numbers) { $1 }.merging(sequences) { $1 }
        .merging(selections) { $1 }.merging(refused) { $1 }

    /// Filters that no chat template uses, refused by name where one is reached.
    private static let refused: [String: Filter] = Dictionary(
        uniqueKeysWithValues: [
            "filesizeformat", "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
        ].map { name in
            let filter: Filter = { (_, _, _) throws(Fault) in throw .unsupported("the filter '\(name)'") }
            return (name, filter)
        }
    )

    private static let texts: [String: Filter] = [
        "upper": { (value, arguments, _) throws(Fault) in
            try value.mapped("upper", arguments) { $0.uppercased() }
        },
        "lower": { (value, arguments, _) throws(Fault) in
            try value.mapped("lower", arguments) { $0.lowercasedByPython }
        },
        "capitalize": { (value, arguments, _) throws(Fault) in
            try value.mapped("capitalize", arguments) { $0.capitalizedByPython }
        },
        "title": { (value, arguments, _) throws(Fault) in try value.mapped("title", arguments) { $0.titledByJinja } },
        "string": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "string")
            if case .string = value { return value }
            return .text(try value.printed())
        },
        "safe": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "safe")
            return .string(Text(try value.printed(), isMarkup: true))
        },
        "e": escape, "escape": escape,
        "forceescape": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "forceescape")
            return .string(Text(Text(try value.printed()).escaped, isMarkup: true))
        },
        "trim": { (value, arguments, _) throws(Fault) in
            let characters = try arguments.bound(to: ["chars"], of: "trim")[0].orNone
            let set = characters.isNone ? nil : try Value?.some(characters).asText("trim")
            return .string(Text(try value.printed().stripped(of: set), isMarkup: value.isMarkup))
        },
        "replace": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["old", "new", "count"], required: 2, of: "replace")
            let count = values[2].orNone
            let limit = count.isNone ? -1 : try count.asInteger("replace")
            return .text(
                try value.printed().replacing(
                    values[0].orNone.printed(),
                    with: values[1].orNone.printed(),
                    limit: limit
                )
            )
        },
        "format": { (value, arguments, _) throws(Fault) in
            guard arguments.positional.isEmpty || arguments.named.isEmpty else {
                throw .evaluation("'format' takes values by place or by name, not both")
            }
            var values = try Value.tuple(of: arguments.positional)
            if !arguments.named.isEmpty { values = .dictionary(try Globals.members(arguments, of: "format")) }
            return .text(try PercentFormat.format(try value.printed(), values))
        },
        "tojson": { (value, arguments, _) throws(Fault) in try JSONOutput.filter(value, arguments) },
        "urlencode": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "urlencode")
            return .text(try URLText.encoded(value))
        },
        "wordcount": { (value, arguments, _) throws(Fault) in
            _ = try arguments.bound(to: [], of: "wordcount")
            let scalars = try value.printed().unicodeScalars
            return .integer(scalars.split { !($0 == "_" || $0.isPythonAlphabetic || $0.isPythonNumeric) }.count)
        },
    ]

    private static let escape: Filter = { (value, arguments, _) throws(Fault) in
        _ = try arguments.bound(to: [], of: "escape")
        if case .string(let text) = value { return .string(Text(text.escaped, isMarkup: true)) }
        return .string(Text(Text(try value.printed()).escaped, isMarkup: true))
    }

    private static let layout: [String: Filter] = [
        "center": { (value, arguments, _) throws(Fault) in
            let width = try arguments.bound(to: ["width"], of: "center")[0]?.asInteger("center") ?? 80
            return .text(
                try value.printed().padded(to: width, with: " ") { missing, width in missing / 2 + (missing & width & 1)
                }
            )
        },
        "indent": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
            guard case .string(let text) = value else { throw .evaluation("'indent' needs a string") }
            var space = "    "
            if case .string(let text)? = values[0] {
                space = text.string
            } else if let width = try values[0]?.asInteger("indent") {
                try Limits.check(textBytes: width)
                space = String(repeating: " ", count: max(0, width))
            }
            let isMarked = (first: try values[1].orNone.isTrue(), blank: try values[2].orNone.isTrue())
            return .text(try text.string.indented(by: space, first: isMarked.first, blank: isMarked.blank))
        },
        "truncate": { (value, arguments, _) throws(Fault) in
            let values = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
            let end = try values[2].map { (end) throws(Fault) in try Value?.some(end).asText("truncate") } ?? "..."
            let length = try values[0]?.asInteger("truncate") ?? 255
            let leeway = try values[3].flatMap { $0.isNone ? nil : $0 }?.asInteger("truncate") ?? 5
            guard length >= end.unicodeScalars.count, leeway >= 0 else {
                throw .evaluation("'truncate' needs a length that is not below its end's")
            }
            if let count = try value.count(), count <= length + leeway { return value }
            guard case .string(let text) = value else { throw .evaluation("'truncate' needs a string") }
            let front = String(scalars: text.string.unicodeScalars.prefix(length - end.unicodeScalars.count))
            let isCutInWords = try values[1].orNone.isTrue()
            return .text((isCutInWords ? front : front.split(fromEndBy: " ", limit: 1)[0]) + end)
        },
    ]
}

extension Value {
    var isMarkup: Bool { if case .string(let text) = self { text.isMarkup } else { false } }

    /// The value's text, changed.
    fileprivate func mapped(_ name: String, _ arguments: Arguments, _ change: (String) -> String) throws(Fault) -> Value
    {
        _ = try arguments.bound(to: [], of: name)
        return .string(Text(change(try printed()), isMarkup: isMarkup))
    }
}

extension String {
    /// The text with the words upper-cased that white space, hyphens and opening brackets part.
    fileprivate var titledByJinja: String {
        var result = ""
        var word: [Unicode.Scalar] = []
        func flush() {
            guard let first = word.first else { return }
            result += String(first).uppercased() + String(scalars: word.dropFirst()).lowercasedByPython
            word = []
        }
        for scalar in unicodeScalars {
            if scalar.isPythonSpace || ["-", "(", "{", "[", "<"].contains(scalar) {
                flush()
                result.unicodeScalars.append(scalar)
            } else {
                word.append(scalar)
            }
        }
        flush()
        return result
    }

    fileprivate func indented(by space: String, first: Bool, blank: Bool) throws(Fault) -> String {
        let lines = (self + "\n").lines(keepsEnds: false)
        try Limits.check(textBytes: Limits.product(lines.count, space.utf8.count) &+ utf8.count)
        var result = lines[0]
        for line in lines.dropFirst() { result += "\n" + (blank || !line.isEmpty ? space : "") + line }
        return first ? space + result : result
    }
}
