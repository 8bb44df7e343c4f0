import Configuration
import Foundation
import Reporting
import Training

/// Rows as tokens for people: by colour on a terminal, by marks elsewhere, or one token a line.
struct InspectionText {
    let style: TextStyle
    let listsTokens: Bool
    let showsIDs: Bool
    private let bound: Double
    private let hasModels: Bool

    init(_ configuration: InspectConfiguration) {
        style = TextStyle(configuration.colour)
        (listsTokens, showsIDs) = (configuration.listsTokens, configuration.showsIDs)
        bound = configuration.tokenReward.clip
        hasModels = configuration.tokenReward.dpoModel != nil || configuration.rewardModel != nil
    }

    /// A row with everything that is known of it.
    func row(_ row: InspectedRow) -> String {
        var lines = [style.paint(title(row), [1])]
        lines += row.notes.map { "  " + style.paint($0, [33]) }
        if let common = row.commonTokens {
            lines.append(
                "  the responses " + (common == 0 ? "differ from their first token on" : "share \(common) tokens")
            )
        }
        if hasModels && row.kind == "prompt" { lines.append("  no rewards: there is no response to the prompt") }
        let scale = RewardScale(row)
        if row.sequences.count == 2, let prompt = row.sequences.first {
            lines += part("prompt", prompt.tokens.prefix { $0.part == .prompt }, scale)
            for sequence in row.sequences {
                lines += part(sequence.name, sequence.tokens.drop { $0.part == .prompt }, scale)
                lines += summary(sequence)
            }
            if let first = row.sequences[0].score, let second = row.sequences[1].score {
                lines.append(label("margin") + number(first - second))
            }
        } else {
            for sequence in row.sequences {
                lines += part(sequence.name, sequence.tokens[...], scale) + summary(sequence)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func title(_ row: InspectedRow) -> String {
        let sizes = row.sequences.map { sequence in
            let parts = [InspectedRow.Part.prompt, .learned, .notLearned].compactMap { part in
                let count = sequence.count(part)
                return count == 0 ? nil : "\(count) \(part.rawValue)"
            }
            return (row.sequences.count > 1 ? sequence.name + " " : "")
                + "\(sequence.tokens.count) tokens (\(parts.joined(separator: ", ")))"
        }
        let label = row.label.map { $0 ? ", a good response" : ", a bad response" } ?? ""
        return
            "row \(row.number)  \(harmlessText("\(row.source)"))  \(row.kind)\(label): \(sizes.joined(separator: "; "))"
    }

    // Tokens.

    private typealias Tokens = ArraySlice<InspectedRow.Token>

    private func part(_ name: String, _ tokens: Tokens, _ scale: RewardScale) -> [String] {
        if listsTokens { return (name == "response" ? [] : ["  " + name]) + table(tokens, scale) }
        guard style == .plain else { return (name == "response" ? [] : [label(name)]) + [running(tokens, scale)] }
        // One line for each run of tokens that are the same to training.
        var lines: [String] = []
        var rest = tokens
        while let first = rest.first {
            let run = rest.prefix { $0.part == first.part }
            let words = run.map { token in
                let text = spelled(token, marksSpaces: false)
                return text + (scale.isShown(token) ? "(\(number(token.reward ?? 0)))" : "")
            }
            let role = name == "response" || first.part != .learned ? first.part.rawValue : name
            lines.append(label(role) + "|" + words.joined(separator: "|") + "|")
            rest = rest.dropFirst(run.count)
        }
        return lines
    }

    /// Tokens one behind the other, each in its colour; every second one is underlined, so that their ends are seen.
    private func running(_ tokens: Tokens, _ scale: RewardScale) -> String {
        tokens.enumerated().map { number, token in
            let text = spelled(token, marksSpaces: true)
            let painted = style.paint(text, codes(token, scale) + (number % 2 == 1 ? [4] : []))
            return painted + (token.bytes?.last == UInt8(ascii: "\n") ? "\n" : "")
        }.joined()
    }

    private func table(_ tokens: Tokens, _ scale: RewardScale) -> [String] {
        let hasRewards = tokens.contains { $0.reward != nil }
        return tokens.indices.map { index in
            let token = tokens[index]
            var cells = [padded(String(index), 6), padded(String(token.id), 7)]
            cells.append(token.part.rawValue.padding(toLength: 11, withPad: " ", startingAt: 0))
            cells.append(token.isSpecial ? "special" : "       ")
            if hasRewards {
                cells.append(padded(token.logRatio.map(number) ?? "", 9))
                cells.append(padded(token.reward.map(number) ?? "", 9))
            }
            cells.append(style.paint(visibleText(token.bytes ?? [], marksSpaces: true), codes(token, scale)))
            return cells.joined(separator: "  ")
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func spelled(_ token: InspectedRow.Token, marksSpaces: Bool) -> String {
        guard let bytes = token.bytes else { return String(token.id) }
        let text = visibleText(bytes, marksSpaces: marksSpaces)
        return (token.isSpecial && style == .plain ? "«\(text)»" : text) + (showsIDs ? "[\(token.id)]" : "")
    }

    private func codes(_ token: InspectedRow.Token, _ scale: RewardScale) -> [Int] {
        var codes: [Int] = []
        switch token.part {
        case .prompt: codes = [2]
        case .notLearned: codes = [33]
        case .learned where token.reward == nil: codes = [32]
        case .learned: if scale.isShown(token) { codes = scale.codes(token) }
        }
        return codes + (token.isSpecial ? [7] : [])
    }

    // What models say.

    private func summary(_ sequence: InspectedRow.Sequence) -> [String] {
        var lines: [String] = []
        if let sum = sequence.rewardSum {
            let paid = sequence.tokens.filter { $0.reward != nil }
            let bounded = bound > 0 ? paid.count { abs($0.reward ?? 0) >= bound * (1 - 1e-6) } : 0
            lines.append(
                label("rewards") + "sum \(number(sum)) over \(paid.count) tokens"
                    + (bounded > 0 ? ", \(bounded) of them at the bound of \(bound)" : "")
            )
            let strongest = paid.filter { $0.logRatio != 0 }.sorted { abs($0.logRatio ?? 0) > abs($1.logRatio ?? 0) }
                .prefix(5).map { token in
                    "\"\(visibleText(token.bytes ?? []))\" \(number(token.reward ?? 0)) (log-ratio \(number(token.logRatio ?? 0)))"
                }
            if !strongest.isEmpty { lines.append(label("strongest") + strongest.joined(separator: ", ")) }
        }
        if let score = sequence.score { lines.append(label("score") + number(score)) }
        return lines
    }

    private func label(_ text: String) -> String {
        "  " + style.paint(text.padding(toLength: 13, withPad: " ", startingAt: 0), [1])
    }

    private func number(_ value: Double) -> String { String(format: "%+.3f", value) }

    /// How to read what stands above.
    func legend(hasRewards: Bool) -> String {
        let marks = "⏎ line break, → tab, \\x… bytes that are no text by themselves"
        guard style == .coloured else {
            if listsTokens { return "· space, \(marks)\n" }
            let rewards = hasRewards ? ", (…) a token's reward where it is more than a tenth of the row's largest" : ""
            return "| between tokens, «…» special, \(marks)\(rewards)\n"
        }
        let parts = [("prompt", [2]), ("not learned", [33])] + (hasRewards ? [] : [("learned", [32])])
        let rewards: [(String, [Int])] =
            hasRewards
            ? [("learned and liked", [32]), ("disliked", [31]), ("more than half the row's largest reward", [1])] : []
        let words = (parts + rewards + [("special", [7])]).map { style.paint($0.0, $0.1) }
        return words.joined(separator: ", ") + ", · space, \(marks)\n"
    }
}

/// Which rewards of a row are worth showing, and which are strong: measured by the largest of them.
private struct RewardScale {
    private let largest: Double

    init(_ row: InspectedRow) {
        largest = row.sequences.flatMap(\.tokens).compactMap { $0.reward.map(abs) }.max() ?? 0
    }

    func isShown(_ token: InspectedRow.Token) -> Bool { abs(token.reward ?? 0) > largest / 10 }

    func codes(_ token: InspectedRow.Token) -> [Int] {
        let reward = token.reward ?? 0
        return TextStyle.codes(ofReward: reward, isStrong: abs(reward) > largest / 2)
    }
}
