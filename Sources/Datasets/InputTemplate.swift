/// A text with one place, written `{}`, into which a prompt of plain text is put.
public struct InputTemplate: Sendable, Equatable {
    private let front: String
    private let back: String

    /// Reads a template such as `User: {}\nAssistant: `.
    ///
    /// `\n`, `\t` and `\\` stand for a newline, a tab and a backslash, since few shells make them of what is typed.
    ///
    /// - Throws: `DatasetError` unless there is exactly one `{}`.
    public init(_ text: String) throws(DatasetError) {
        let parts = Self.unescaped(text).split(separator: "{}", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw DatasetError(path: "--input-template", .inputTemplate(placeCount: parts.count - 1))
        }
        front = String(parts[0])
        back = String(parts[1])
    }

    /// The template with a prompt in its place.
    public func filled(with prompt: String) -> String { front + prompt + back }

    private static func unescaped(_ text: String) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            guard isEscaped else {
                isEscaped = character == "\\"
                if !isEscaped { result.append(character) }
                continue
            }
            switch character {
            case "n": result.append("\n")
            case "t": result.append("\t")
            case "\\": result.append("\\")
            default: result += "\\" + String(character)
            }
            isEscaped = false
        }
        return isEscaped ? result + "\\" : result
    }
}
