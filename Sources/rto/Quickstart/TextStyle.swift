import Configuration
import Foundation

/// How rewards of words are shown: by colour on a terminal, by numbers elsewhere.
enum TextStyle {
    case coloured, plain

    /// Colour where standard output is a terminal and `NO_COLOR` is not set (no-color.org).
    static var ofStandardOutput: TextStyle {
        let wantsNone = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isatty(STDOUT_FILENO) == 1 && !wantsNone ? .coloured : .plain
    }

    /// What a person has chosen.
    init(_ choice: ColourChoice) {
        switch choice {
        case .never: self = .plain
        case .auto: self = .ofStandardOutput
        case .always: self = .coloured
        }
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
        case .coloured: return paint(word, Self.codes(ofReward: reward, isStrong: abs(reward) >= Self.strong))
        }
    }

    /// How rewards are painted: green above 0, red below, strong ones in bold.
    static func codes(ofReward reward: Double, isStrong: Bool) -> [Int] {
        (isStrong ? [1] : []) + [reward > 0 ? 32 : 31]
    }

    /// A text between the terminal's codes, or as it is where nothing is coloured.
    func paint(_ text: String, _ codes: [Int]) -> String {
        guard self == .coloured, !codes.isEmpty else { return text }
        return "\u{1B}[" + codes.map(String.init).joined(separator: ";") + "m" + text + "\u{1B}[0m"
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
