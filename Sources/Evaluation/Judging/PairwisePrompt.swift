import Foundation

/// The prompt that shows a judge an instruction and two answers, as AlpacaEval renders it.
///
/// ChatML text with the places `{instruction}`, `{output_1}` and `{output_2}`; the first answer shown goes by the name "m",
/// the second by "M".
public struct PairwisePrompt: Sendable {
    private let template: String
    private let source: String
    private static let (start, end) = ("<|im_start|>", "<|im_end|>")

    /// Reads a template.
    ///
    /// - Throws: ``EvaluationError`` where it is not ChatML or lacks a place.
    public init(path: String) throws(EvaluationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw EvaluationError("\(path): there is no such file, or it cannot be read")
        }
        template = String(decoding: data, as: UTF8.self)
        source = path
        let text = template.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix(Self.start), text.hasSuffix(Self.end) else {
            throw EvaluationError("\(path): a prompt begins with \(Self.start) and ends with \(Self.end)")
        }
        for place in ["{instruction}", "{output_1}", "{output_2}"] where text.components(separatedBy: place).count != 2
        {
            throw EvaluationError("\(path): \(place) must occur once")
        }
    }

    /// The messages for two answers in the order in which they are shown.
    ///
    /// The places are filled one after the other at their first occurrence, so an instruction that itself holds "{output_1}"
    /// takes that place; a text that holds ChatML's marks cuts its message there. The original does the same.
    public func messages(instruction: String, first: String, second: String) -> [ChatService.Message] {
        var prompt = template
        for (place, text) in [("{instruction}", instruction), ("{output_1}", first), ("{output_2}", second)] {
            guard let range = prompt.range(of: place, options: .literal) else { continue }
            prompt.replaceSubrange(range, with: text)
        }
        return prompt.components(separatedBy: Self.start).dropFirst().map { part in
            let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let content = lines.count > 1 ? String(lines[1]).components(separatedBy: Self.end)[0] : ""
            return ChatService.Message(String(lines[0]).strippedLikePython, content.strippedLikePython)
        }
    }
}

extension String {
    /// Without the white space at both ends, as Python's `strip()` understands it.
    var strippedLikePython: String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            (0x1C...0x1F).contains(scalar.value) || scalar.properties.isWhitespace
        }
        let scalars = unicodeScalars.drop(while: isSpace)
        return String(
            scalars.prefix(upTo: scalars.lastIndex { !isSpace($0) }.map(scalars.index(after:)) ?? scalars.startIndex)
        )
    }
}
