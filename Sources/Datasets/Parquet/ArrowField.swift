import CArrow

/// A column, or a part of one, as Apache Arrow describes it: its name and how its values lie in memory.
struct ArrowField: Sendable {
    let name: String
    let layout: Layout

    /// How values lie in memory.
    indirect enum Layout: Sendable {
        case null
        case bool
        case integer(bits: Int, isSigned: Bool)
        case float(bits: Int)
        /// Bytes of text between offsets of 32 or 64 bits.
        case text(isLarge: Bool)
        /// Bytes of text in views of 16 bytes each, short ones in the view itself.
        case textView
        case decimal(scale: Int, byteCount: Int)
        case date(isMilliseconds: Bool)
        case timestamp(unitsPerSecond: Int, isUniversal: Bool)
        case list(ArrowField, isLarge: Bool)
        case listView(ArrowField, isLarge: Bool)
        case fixedList(ArrowField, count: Int)
        case structure([ArrowField])
        /// A list of pairs whose keys are texts.
        case map(key: ArrowField, value: ArrowField)
        /// Numbers of values in a dictionary beside the column.
        case dictionary(bits: Int, isSigned: Bool, ArrowField)
    }

    /// A type that no row can hold.
    struct Unreadable: Error {
        /// The names from the column to the part of it that is of the type.
        var path: [String]
        let type: String

        /// The clause of an error about the file.
        var sentence: String {
            let part = path.dropFirst().joined(separator: ".")
            return "the column \(quoted(path.first ?? "")) is" + (part.isEmpty ? "" : ", in its part \(quoted(part)),")
                + " of Arrow's type \(type), which a row cannot hold; write the file without it"
        }
    }

    /// The columns of a table: their names, and what each is or why no row can hold it.
    static func columns(of schema: ArrowSchema) -> [(name: String, field: Result<ArrowField, Unreadable>)] {
        (0..<Int(schema.n_children)).compactMap { schema.children?[$0]?.pointee }.map { child in
            (name(of: child), Result { () throws(Unreadable) in try ArrowField(child) })
        }
    }

    private static func children(of schema: ArrowSchema) throws(Unreadable) -> [ArrowField] {
        try columns(of: schema).map { (column) throws(Unreadable) in try column.field.get() }
    }

    private static func name(of schema: ArrowSchema) -> String { schema.name.map { String(cString: $0) } ?? "" }

    private init(_ schema: ArrowSchema) throws(Unreadable) {
        name = Self.name(of: schema)
        let format = schema.format.map { String(cString: $0) } ?? ""
        let unreadable = Unreadable(path: [name], type: format)
        if let dictionary = schema.dictionary {
            guard case .integer(let bits, let isSigned)? = Self.scalar(format) else { throw unreadable }
            do { layout = .dictionary(bits: bits, isSigned: isSigned, try ArrowField(dictionary.pointee)) } catch {
                throw Unreadable(path: [name], type: error.type)
            }
            return
        }
        if let scalar = Self.scalar(format) {
            layout = scalar
            return
        }
        let children: [ArrowField]
        do { children = try Self.children(of: schema) } catch {
            throw Unreadable(path: [name] + error.path, type: error.type)
        }
        guard let nested = Self.nested(format, children) else { throw unreadable }
        layout = nested
    }

    private static func nested(_ format: String, _ children: [ArrowField]) -> Layout? {
        if format == "+s" { return .structure(children) }
        guard let element = children.first, children.count == 1 else { return nil }
        switch format {
        case "+l", "+L": return .list(element, isLarge: format == "+L")
        case "+vl", "+vL": return .listView(element, isLarge: format == "+vL")
        case "+m":
            guard case .structure(let pair) = element.layout, pair.count == 2, pair[0].isText else { return nil }
            return .map(key: pair[0], value: pair[1])
        default:
            guard format.hasPrefix("+w:"), let count = Int(format.dropFirst(3)) else { return nil }
            return .fixedList(element, count: count)
        }
    }

    private var isText: Bool {
        switch layout {
        case .text, .textView: true
        case .dictionary(_, _, let values): values.isText
        default: false
        }
    }

    private static func scalar(_ format: String) -> Layout? {
        let integers = ["c": 8, "s": 16, "i": 32, "l": 64]
        if let bits = integers[format.lowercased()] {
            return .integer(bits: bits, isSigned: format == format.lowercased())
        }
        switch format {
        case "n": return .null
        case "b": return .bool
        case "e": return .float(bits: 16)
        case "f": return .float(bits: 32)
        case "g": return .float(bits: 64)
        // Writers that know no text mark it as bytes.
        case "u", "z": return .text(isLarge: false)
        case "U", "Z": return .text(isLarge: true)
        case "vu", "vz": return .textView
        case "tdD": return .date(isMilliseconds: false)
        case "tdm": return .date(isMilliseconds: true)
        default: return format.hasPrefix("ts") ? timestamp(format) : format.hasPrefix("d:") ? decimal(format) : nil
        }
    }

    /// `tss:`, `tsm:`, `tsu:` or `tsn:` and the time zone.
    private static func timestamp(_ format: String) -> Layout? {
        let units: [Character: Int] = ["s": 1, "m": 1_000, "u": 1_000_000, "n": 1_000_000_000]
        guard let units = format.dropFirst(2).first.flatMap({ units[$0] }) else { return nil }
        return .timestamp(unitsPerSecond: units, isUniversal: format.count > 4)
    }

    /// `d:precision,scale` and the bits where these are not 128.
    private static func decimal(_ format: String) -> Layout? {
        let numbers = format.dropFirst(2).split(separator: ",").map { Int($0) }
        guard numbers.count >= 2, let scale = numbers[1] else { return nil }
        let bits = numbers.count > 2 ? numbers[2] ?? 0 : 128
        return [32, 64, 128].contains(bits) ? .decimal(scale: scale, byteCount: bits / 8) : nil
    }
}
