import Foundation
import PocketWorld

/// The responses of all policies to one prompt, one under the other.
struct ResponseText {
    let style: TextStyle
    /// The most characters of a line.
    var width = 100

    /// A response under its policy's name, words by their token rewards, then what gold found in it.
    func response(_ response: EvaluatedResponse, of policy: QuickstartPolicy) -> String {
        let words = zip(response.pieces, response.tokenRewards).map { piece, reward in
            let shown = style.word(piece, reward: reward)
            return (shown, style == .plain ? shown.count : piece.count)
        }
        let label = policy.title.padding(toLength: 5, withPad: " ", startingAt: 0)
        let account = Self.account(of: response.gold).map { ($0, $0.count) }
        return wrapped(words, label: label) + "\n"
            + wrapped(account, label: String(repeating: " ", count: label.count)) + "\n"
    }

    /// Texts with their visible widths in lines behind a label.
    private func wrapped(_ words: [(text: String, width: Int)], label: String) -> String {
        var lines = [label]
        var used = label.count
        for (position, word) in words.enumerated() {
            if position > 0, used + 1 + word.width > width {
                lines.append(String(repeating: " ", count: label.count))
                used = label.count
            } else if position > 0 {
                lines[lines.count - 1] += " "
                used += 1
            }
            lines[lines.count - 1] += word.text
            used += word.width
        }
        return lines.joined(separator: "\n")
    }

    /// What makes up a gold reward: "gold +1.21 =", "true fact 3 × +1,", "omitted fact 1 × -0.6,", "word 19 × -0.01".
    static func account(of gold: GoldScore) -> [String] {
        let terms = GoldEvent.allCases.compactMap { event -> String? in
            let count = gold.count(of: event)
            return count == 0 ? nil : "\(name(of: event)) \(count) × " + String(format: "%+g", event.value)
        }
        return [String(format: "gold %+.2f =", gold.total)] + terms.dropLast().map { $0 + "," } + terms.suffix(1)
    }

    /// "true fact" of `trueFact`.
    private static func name(of event: GoldEvent) -> String {
        event.rawValue.replacing(/[A-Z]/) { " " + $0.output.lowercased() }
    }
}
