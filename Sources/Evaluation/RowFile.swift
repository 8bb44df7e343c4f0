import Foundation
import JSONText
import Safetensors

/// A file of rows that other programs wrote or will read: a JSON array of objects, or one object a line.
public enum RowFile {
    /// The rows of a file.
    ///
    /// Lines end at "\n" alone: texts may hold U+2028 and U+2029, at which other readers of lines break.
    ///
    /// - Throws: ``EvaluationError`` naming file and row.
    public static func read(_ path: String) throws(EvaluationError) -> [JSONObject] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        let bytes = [UInt8](data)
        let isArray = bytes.first { !$0.isJSONSpace } == UInt8(ascii: "[")
        let values = try isArray ? elements(bytes, path) : lines(bytes, path)
        var rows: [JSONObject] = []
        for (number, value) in values.enumerated() {
            guard let row = value.object else {
                throw EvaluationError("\(path), row \(number + 1): expected an object, found \(value.kind)")
            }
            rows.append(row)
        }
        return rows
    }

    private static let options = JSONParsingOptions(allowsNonFiniteNumbers: true)

    private static func elements(_ bytes: [UInt8], _ path: String) throws(EvaluationError) -> [JSON] {
        do {
            return try JSON(parsing: bytes, options: options).array ?? []
        } catch {
            throw EvaluationError("\(path), \(error)")
        }
    }

    private static func lines(_ bytes: [UInt8], _ path: String) throws(EvaluationError) -> [JSON] {
        var values: [JSON] = []
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where line.contains(where: { !$0.isJSONSpace }) {
            do {
                values.append(try JSON(parsing: line, options: options))
            } catch {
                throw EvaluationError("\(path), line \(number + 1), column \(error.column): \(error.message)")
            }
        }
        return values
    }

    /// Writes rows as a JSON array with one row a line.
    public static func writeArray(_ rows: [JSONObject], to url: URL) throws(EvaluationError) {
        try write("[\n" + rows.map { JSON.object($0).serialized() }.joined(separator: ",\n") + "\n]\n", to: url)
    }

    /// Writes rows one a line.
    public static func writeLines(_ rows: [JSONObject], to url: URL) throws(EvaluationError) {
        try write(rows.map { JSON.object($0).serialized() + "\n" }.joined(), to: url)
    }

    /// Writes a text file, whole or not at all.
    public static func write(_ text: String, to url: URL) throws(EvaluationError) {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try AtomicFile.write(text.utf8, to: url)
        } catch {
            throw EvaluationError("\(url.path) cannot be written: \(error)")
        }
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension JSONObject {
    /// The text of a key.
    ///
    /// - Throws: ``EvaluationError`` naming place and key where it is missing or no text.
    func text(_ key: String, at place: String) throws(EvaluationError) -> String {
        guard let value = self[key] else { throw EvaluationError("\(place): there is no \"\(key)\"") }
        guard let text = value.string else {
            throw EvaluationError("\(place): \"\(key)\" must be a string, found \(value.kind)")
        }
        return text
    }
}

/// A text as a key: equal only byte for byte.
struct TextKey: Hashable, Sendable {
    private let bytes: [UInt8]

    init(_ texts: String...) {
        // A length before each text keeps neighbours apart.
        bytes = texts.flatMap { text in withUnsafeBytes(of: text.utf8.count, Array.init) + Array(text.utf8) }
    }
}
