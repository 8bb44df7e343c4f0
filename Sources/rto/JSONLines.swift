import Configuration
import Foundation
import JSONText
import Training

/// Rows of standard input, one JSON object a line, answered in order on standard output.
enum JSONLines {
    /// Answers every row, and passes over empty lines.
    ///
    /// - Throws: ``RowError`` where a line is not a JSON object, and what `answer` throws, with the line in front; and an error
    ///   where the answer cannot be written.
    static func answer(_ answer: (JSONObject) throws -> JSON) throws {
        var input = StandardInput()
        var number = 0
        while let line = try input.nextLine() {
            number += 1
            guard line.contains(where: { !isSpace($0) }) else { continue }
            let answered: JSON
            do {
                guard let row = try JSON(parsing: line).object else { throw RowError("a row must be an object") }
                answered = try answer(row)
            } catch {
                let reason = (error as? JSONError).map { "column \($0.column): \($0.message)" } ?? "\(error)"
                throw RowError("standard input, line \(number): \(reason)")
            }
            // At once, so that a program on the other side of a pipe can answer row by row.
            try writeToStandardOutput(answered.serialized() + "\n")
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}

/// What is wrong with a row of standard input.
struct RowError: ExitStatusProviding, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension JSONObject {
    /// The truth value of a key, or the default where there is none.
    func bool(_ key: String, default value: Bool) throws -> Bool {
        guard let found = self[key] else { return value }
        guard let bool = found.bool else { throw RowError("'\(key)' must be true or false") }
        return bool
    }
}
