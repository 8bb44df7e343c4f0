import JSONText

/// A text, or the messages that a chat template makes one of.
enum Passage {
    case text(String)
    case messages([JSON])
}

/// What a row says of a prompt.
enum PromptContent {
    case tokens([Int])
    case passage(Passage)
}

/// What a row says of a response to be learned.
enum ExampleContent {
    case tokens([Int], promptLength: Int)
    /// Text to be learned from its first token on.
    case wholeText(String)
    case text(prompt: String, response: String)
    case messages(prompt: [JSON], response: [JSON])
    /// Messages of which all that the assistant says may be learned, or the last one only.
    case conversation([JSON])
}

/// What a row says of two responses to one prompt.
enum PairContent {
    case tokens(prompt: [Int], chosen: [Int], rejected: [Int])
    case text(prompt: String, chosen: String, rejected: String)
    case messages(prompt: [JSON], chosen: [JSON], rejected: [JSON])
}
