import Foundation
import JSONText

/// A value in a tokenizer's file that knows its place, so that every error can name it.
struct Setting {
    let value: JSON
    /// The file's path followed by the keys that lead here: `…/tokenizer.json: model.vocab`.
    let place: String

    /// The whole content of a file.
    init(file: URL) throws(TokenizerError) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: file)
        } catch {
            throw TokenizerError("cannot read \(file.path): \(error.localizedDescription)")
        }
        do {
            value = try JSON(parsing: bytes)
        } catch {
            throw TokenizerError("\(file.path) is not valid JSON: \(error)")
        }
        place = file.path + ":"
        _ = try object()
    }

    init(value: JSON, place: String) {
        self.value = value
        self.place = place
    }

    /// The member of that name, or `nil` where it is missing or null.
    subscript(key: String) -> Setting? {
        guard let member = value[key], !member.isNull else { return nil }
        return Setting(value: member, place: place(of: key))
    }

    func required(_ key: String) throws(TokenizerError) -> Setting {
        guard let member = self[key] else { throw TokenizerError("\(place(of: key)) is missing") }
        return member
    }

    func string() throws(TokenizerError) -> String {
        guard let string = value.string else { throw mismatch("a string") }
        return string
    }

    func bool() throws(TokenizerError) -> Bool {
        guard let bool = value.bool else { throw mismatch("true or false") }
        return bool
    }

    /// A whole number from 0 to the largest token id there may be.
    func tokenID() throws(TokenizerError) -> Int {
        guard let id = value.integer, TokenID.range.contains(id) else {
            throw mismatch("a token id from 0 to \(TokenID.range.upperBound)")
        }
        return id
    }

    func count() throws(TokenizerError) -> Int {
        guard let count = value.integer, (0...1_000_000).contains(count) else { throw mismatch("a small whole number") }
        return count
    }

    func object() throws(TokenizerError) -> JSONObject {
        guard let object = value.object else { throw mismatch("an object") }
        return object
    }

    func array() throws(TokenizerError) -> [JSON] {
        guard let array = value.array else { throw mismatch("an array") }
        return array
    }

    /// The elements of an array, each with its place.
    func elements() throws(TokenizerError) -> [Setting] {
        try array().enumerated().map { Setting(value: $1, place: "\(place)[\($0)]") }
    }

    /// The value of a flag that may be left out.
    func bool(_ key: String, default defaultValue: Bool) throws(TokenizerError) -> Bool {
        try self[key]?.bool() ?? defaultValue
    }

    /// The kind that an object names under `type`.
    func kind() throws(TokenizerError) -> String {
        try required("type").string()
    }

    func unsupported(_ what: String, supported: String) -> TokenizerError {
        TokenizerError("\(place) is \(what), which is not supported; supported are \(supported)")
    }

    func mismatch(_ expectation: String) -> TokenizerError {
        TokenizerError("\(place) must be \(expectation), but is \(value.kind)")
    }

    func invalid(_ reason: String) -> TokenizerError {
        TokenizerError("\(place) \(reason)")
    }

    private func place(of key: String) -> String {
        place.hasSuffix(":") ? "\(place) \(key)" : "\(place).\(key)"
    }
}

/// The numbers that tokens may have.
enum TokenID {
    /// Tables are as long as the highest id, so a mistyped one must not claim all memory.
    static let range = 0...9_999_999
}
