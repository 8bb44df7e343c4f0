/// What a stage looks for in a text: a fixed string or a regular expression.
enum TextPattern: Sendable {
    case string([UInt8])
    case regularExpression(RegularExpression)

    /// Reads `{"String": "…"}` or `{"Regex": "…"}`.
    init(_ setting: Setting) throws(TokenizerError) {
        if let string = setting["String"] {
            let text = try string.string()
            guard !text.isEmpty else { throw string.invalid("must not be empty") }
            self = .string(Array(text.utf8))
        } else if let pattern = setting["Regex"] {
            let text = try pattern.string()
            do {
                self = .regularExpression(try RegularExpression(oniguruma: text))
            } catch {
                throw pattern.invalid("is not a usable regular expression: \(error)")
            }
        } else {
            throw setting.mismatch("{\"String\": …} or {\"Regex\": …}")
        }
    }

    /// Calls `body` with every match, from left to right and without overlaps.
    func forEachMatch(in text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch self {
        case .regularExpression(let expression): expression.forEachMatch(in: text, body)
        case .string(let string):
            var position = 0
            while position + string.count <= text.count {
                if text[position] == string[0], Self.begins(string, at: position, in: text) {
                    body(position..<position + string.count)
                    position += string.count
                } else {
                    position += 1
                }
            }
        }
    }

    private static func begins(_ string: [UInt8], at position: Int, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        for offset in 1..<max(1, string.count) where text[position + offset] != string[offset] { return false }
        return true
    }

    /// The text with every match replaced.
    func replacing(in text: UnsafeBufferPointer<UInt8>, with replacement: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        appendReplacing(in: text, with: replacement, to: &result)
        return result
    }

    /// Appends the text with every match replaced.
    func appendReplacing(
        in text: UnsafeBufferPointer<UInt8>,
        with replacement: [UInt8],
        to result: inout [UInt8]
    ) {
        var end = 0
        forEachMatch(in: text) { match in
            result.append(contentsOf: text[end..<match.lowerBound])
            result.append(contentsOf: replacement)
            end = match.upperBound
        }
        result.append(contentsOf: text[end...])
    }
}
