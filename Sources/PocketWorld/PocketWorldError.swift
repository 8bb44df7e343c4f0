/// Why the pocket world could not read a text or write a file.
public enum PocketWorldError: Error, CustomStringConvertible, Equatable {
    /// The text is no prompt of this world.
    case notAPrompt(String)
    /// The world's settings do not allow as many different prompts as are wanted.
    case tooFewPrompts(wanted: Int, attributeCount: ClosedRange<Int>)
    /// A file could not be written; with the system's reason.
    case cannotWrite(path: String, reason: String)

    /// The sentence that tells the user what is wrong and what to do.
    public var description: String {
        switch self {
        case .notAPrompt(let text):
            let shown = text.count > 80 ? text.prefix(80) + "…" : text[...]
            return "\"\(shown)\" is no prompt of the pocket world; "
                + "prompts read \"i am ann . describe the ring : tall , free , rome .\""
        case .tooFewPrompts(let wanted, let attributeCount):
            return "there are not \(wanted) different prompts with \(attributeCount.lowerBound) to "
                + "\(attributeCount.upperBound) attributes; ask for fewer rows or for more attributes"
        case .cannotWrite(let path, let reason):
            return "\(path) could not be written: \(reason)"
        }
    }
}
