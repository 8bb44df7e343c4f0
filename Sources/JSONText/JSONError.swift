/// Why a text is not JSON, and where.
public struct JSONError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The line of the fault, counted from 1.
    public var line: Int
    /// The column of the fault in Unicode scalars, counted from 1.
    public var column: Int
    /// What is wrong there, without the place.
    public var message: String

    /// A fault at a place.
    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    /// The place and the fault in one sentence.
    public var description: String { "line \(line), column \(column): \(message)" }
}

extension JSONError {
    /// Finds line and column of a byte offset: faults are rare, so nothing is counted while parsing.
    init(_ message: String, at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.init(line: line, column: column, message: message)
    }
}
