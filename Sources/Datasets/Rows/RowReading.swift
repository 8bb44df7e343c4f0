import JSONText

/// Reads the values of a row, and says of each that is wrong what is wrong with it.
extension DatasetRow {
    private var presentKeys: [String] { object.members.map(\.key) + unreadColumns + unreadableColumns }

    func error(_ problem: DatasetError.Problem) -> DatasetError { DatasetError(location: location, problem) }

    func unknownForm(_ expected: String) -> DatasetError {
        error(.unknownForm(expected: expected, present: presentKeys))
    }

    func wrongKind(_ key: String, _ expected: String, _ found: JSON) -> DatasetError {
        error(.wrongKind(key: key, expected: expected, found: found.kind))
    }

    /// Of a list, one element of which is wrong.
    private func wrongElement(_ key: String, _ expected: String, _ index: Int, _ found: String) -> DatasetError {
        error(.inconsistent("\(quoted(key)) must be \(expected), and element \(index + 1) is \(found)"))
    }

    /// The value of a key that must be there.
    func value(_ key: String) throws(DatasetError) -> JSON {
        guard let value = object[key] else { throw error(.missingKey(key, present: presentKeys)) }
        return value
    }

    func has(_ key: String) -> Bool { !(object[key]?.isNull ?? true) }

    /// A text or a list of messages.
    func passage(_ key: String) throws(DatasetError) -> Passage {
        let value = try value(key)
        switch value {
        case .string(let text): return .text(text)
        case .array(let messages):
            guard !messages.isEmpty else { throw error(.inconsistent("\(quoted(key)) is an empty list of messages")) }
            for (index, message) in messages.enumerated() {
                guard message["role"]?.string != nil, message["content"]?.string != nil else {
                    let expected = "a list of messages, each with a role and a content that are strings"
                    let found = message.object == nil ? message.kind : "an object in which one is missing or no string"
                    throw wrongElement(key, expected, index, found)
                }
            }
            return .messages(messages)
        default: throw wrongKind(key, "a string or a list of messages", value)
        }
    }

    func text(_ key: String) throws(DatasetError) -> String {
        let value = try value(key)
        guard let text = value.string else { throw wrongKind(key, "a string", value) }
        return text
    }

    /// A list of token ids; whether the vocabulary has them is asked later.
    func tokens(_ key: String) throws(DatasetError) -> [Int] {
        let value = try value(key)
        guard let elements = value.array else { throw wrongKind(key, "a list of token ids", value) }
        return try elements.enumerated().map { (index, element) throws(DatasetError) in
            guard let id = element.integer, id >= 0 else {
                let found =
                    switch element {
                    case .integer, .number: element.serialized()
                    default: element.kind
                    }
                throw wrongElement(key, "a list of token ids, which are whole numbers from 0", index, found)
            }
            return id
        }
    }

    func responseTokens(_ key: String) throws(DatasetError) -> [Int] {
        let tokens = try tokens(key)
        guard !tokens.isEmpty else { throw error(.inconsistent("\(quoted(key)) is empty")) }
        return tokens
    }

    /// A number that may be missing.
    func number(_ key: String) throws(DatasetError) -> Double? {
        guard has(key) else { return nil }
        let value = try value(key)
        guard let number = value.number, number.isFinite else { throw wrongKind(key, "a finite number", value) }
        return number
    }

    /// A truth value, written as such or as the number 0 or 1.
    func truth(_ key: String) throws(DatasetError) -> Bool {
        let value = try value(key)
        switch value {
        case .bool(let truth): return truth
        case .integer, .number:
            guard let number = value.number, number == 0 || number == 1 else {
                throw error(.inconsistent("\(quoted(key)) must be true, false, 1 or 0, and is \(value.serialized())"))
            }
            return number == 1
        default: throw wrongKind(key, "true, false, 1 or 0", value)
        }
    }
}
