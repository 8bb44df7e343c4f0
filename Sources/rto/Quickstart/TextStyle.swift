import Foundation

/// How rewards of words are shown: by colour on a terminal, by numbers elsewhere.
enum TextStyle {
    case coloured, plain

    /// Colour where standard output is a terminal and `NO_COLOR` is not set (no-color.org).
    static var ofStandardOutput: TextStyle {
        let wantsNone = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isatty(STDOUT_FILENO) == 1 && !wantsNone ? .coloured : .plain
    }

    /// Rewards below this in size are not shown.
    static let slight = 0.04
    /// Rewards from this size on are shown in bold.
    static let strong = 0.15

    /// A word with its reward.
    func word(_ word: String, reward: Double) -> String {
        guard abs(reward) >= Self.slight else { return word }
        switch self {
        case .plain: return word + String(format: "(%+.2f)", reward)
        case .coloured:
            let colour = reward > 0 ? "32" : "31"
            return "\u{1B}[" + (abs(reward) >= Self.strong ? "1;" : "") + colour + "m" + word + "\u{1B}[0m"
        }
    }

    /// How to read the words.
    var legend: String {
        switch self {
        case .plain: String(format: "token rewards of at least %.2f in size stand behind their words", Self.slight)
        case .coloured:
            "token rewards: " + word("liked", reward: 0.1) + ", " + word("much liked", reward: 1) + ", "
                + word("disliked", reward: -0.1) + ", " + word("much disliked", reward: -1)
                + String(format: " (from %.2f and %.2f on)", Self.slight, Self.strong)
        }
    }
}
