/// A recursive-descent parser over bytes; the depth limit bounds its recursion.
struct JSONParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let options: JSONParsingOptions
    var position = 0
    private var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>, options: JSONParsingOptions) {
        self.bytes = bytes
        self.options = options
    }

    mutating func document() throws(JSONError) -> JSON {
        if let offset = bytes.firstInvalidUTF8() {
            throw JSONError("this byte is not valid UTF-8", at: offset, in: bytes)
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        let value = try value()
        skipWhitespace()
        guard position == bytes.count else { throw fault("the JSON text ends here, but more follows") }
        return value
    }

    /// The byte at the current position, or 0 at the end: a 0 byte is nowhere legal, so both lead to the same faults.
    var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

    func fault(_ message: String, at offset: Int? = nil) -> JSONError {
        let offset = offset ?? position
        return JSONError(offset < bytes.count ? message : "the text ends too early", at: offset, in: bytes)
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipWhitespace()
        switch current {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in .object(try parser.object()) }
        case UInt8(ascii: "["): return try nested { parser throws(JSONError) in .array(try parser.array()) }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "N"), UInt8(ascii: "I"): return try nonFiniteNumber()
        default: throw fault("expected a value")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        guard depth < options.depthLimit else {
            throw fault("more than \(options.depthLimit) arrays and objects are nested")
        }
        depth += 1
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        var object = JSONObject()
        skipWhitespace()
        if skip(UInt8(ascii: "}")) { return object }
        repeat {
            skipWhitespace()
            let start = position
            guard current == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes") }
            let key = try string()
            skipWhitespace()
            guard skip(UInt8(ascii: ":")) else { throw fault("expected ':' after a key") }
            let isNew = object.set(key: key, value: try value())
            guard isNew || !options.refusesDuplicateKeys else {
                throw fault("the key \"\(key)\" occurs twice in one object", at: start)
            }
            skipWhitespace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw fault("expected ',' or '}' after a member") }
        return object
    }

    private mutating func array() throws(JSONError) -> [JSON] {
        var elements: [JSON] = []
        skipWhitespace()
        if skip(UInt8(ascii: "]")) { return elements }
        repeat {
            elements.append(try value())
            skipWhitespace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw fault("expected ',' or ']' after an element") }
        return elements
    }

    mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let letters = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes.count - position >= letters.count, bytes[position...].starts(with: letters) else {
            throw fault("expected '\(word)'")
        }
        position += letters.count
        return value
    }

    private mutating func nonFiniteNumber() throws(JSONError) -> JSON {
        guard options.allowsNonFiniteNumbers else { throw fault("NaN and Infinity are not JSON") }
        return current == UInt8(ascii: "N") ? try word("NaN", .number(.nan)) : try word("Infinity", .number(.infinity))
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
