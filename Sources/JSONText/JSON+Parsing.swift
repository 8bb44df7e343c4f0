/// What the parser accepts beyond, or refuses within, RFC 8259.
public struct JSONParsingOptions: Sendable {
    /// Whether Python's `NaN`, `Infinity` and `-Infinity` are numbers; otherwise they are faults.
    public var allowsNonFiniteNumbers = false
    /// Whether a key that occurs twice in one object is a fault; otherwise the last value counts, as in Python.
    public var refusesDuplicateKeys = false
    /// How many arrays and objects may be open at once.
    public var depthLimit = 512

    /// Strict RFC 8259, where the last of equal keys counts.
    public init(allowsNonFiniteNumbers: Bool = false, refusesDuplicateKeys: Bool = false, depthLimit: Int = 512) {
        self.allowsNonFiniteNumbers = allowsNonFiniteNumbers
        self.refusesDuplicateKeys = refusesDuplicateKeys
        self.depthLimit = depthLimit
    }
}

extension JSON {
    /// Parses one JSON text in UTF-8: RFC 8259, with a leading byte-order mark ignored.
    ///
    /// An escaped lone surrogate, which Python writes for a text cut inside a character, becomes U+FFFD. Integers
    /// beyond 64 bits become the nearest `number`; a number beyond the range of `Double` is a fault.
    ///
    /// - Throws: `JSONError` with line and column.
    public init(
        parsing bytes: some Collection<UInt8>,
        options: JSONParsingOptions = JSONParsingOptions()
    ) throws(JSONError) {
        let outcome =
            bytes.withContiguousStorageIfAvailable { JSON.outcome(of: $0, options) }
            ?? Array(bytes).withUnsafeBufferPointer { JSON.outcome(of: $0, options) }
        self = try outcome.get()
    }

    /// Parses one JSON text held in a string.
    ///
    /// - Throws: `JSONError` with line and column.
    public init(parsing text: String, options: JSONParsingOptions = JSONParsingOptions()) throws(JSONError) {
        try self.init(parsing: text.utf8, options: options)
    }

    private static func outcome(
        of bytes: UnsafeBufferPointer<UInt8>,
        _ options: JSONParsingOptions
    ) -> Result<JSON, JSONError> {
        Result { () throws(JSONError) in
            var parser = JSONParser(bytes: bytes, options: options)
            return try parser.document()
        }
    }
}
