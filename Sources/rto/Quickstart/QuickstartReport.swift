import Foundation
import JSONText
import PocketWorld
import Safetensors

/// What came out of a quickstart, whatever it is, as text and as files.
struct QuickstartReport {
    let evaluation: QuickstartEvaluation
    let work: WorkDirectory

    /// The first prompts of the evaluation file are shown; nobody chose them.
    private static let shownPrompts = 3

    init(_ evaluation: QuickstartEvaluation, _ work: WorkDirectory) {
        self.evaluation = evaluation
        self.work = work
    }

    // Text.

    /// Everything for the terminal.
    func text(_ style: TextStyle) -> String {
        """

        \(results.plain)
        \(reading)

        \(content.plain)
        \(credit)

        \(examples(style))
        \(closing)

        """
    }

    /// The table of the comparison.
    var results: TextTable {
        let heading = ["policy", "gold reward", "reward model", "KL to SFT", "wins against SFT", "tokens"]
        return TextTable(
            heading: heading,
            rows: summaries.map { summary in
                [
                    summary.policy.title, Self.cell(summary.gold), Self.cell(summary.score),
                    Self.cell(summary.divergence),
                    summary.policy == .sft ? "–" : Self.cell(summary.winRate, scale: 100, digits: 1) + " %",
                    Self.cell(summary.length, digits: 1),
                ]
            }
        )
    }

    /// What the responses say: events of the gold reward per response.
    var content: TextTable {
        let heading = ["per response", "true facts", "false", "repeated", "left out", "rude", "polite endings"]
        return TextTable(
            heading: heading,
            rows: QuickstartPolicy.allCases.map { policy in
                let gold = evaluation.responses[policy, default: []].map(\.gold)
                func mean(_ count: (GoldScore) -> Int) -> String {
                    String(format: "%.2f", gold.reduce(0) { $0 + Double(count($1)) } / Double(max(1, gold.count)))
                }
                return [
                    policy.title, mean { $0.count(of: .trueFact) }, mean { $0.count(of: .falseStatement) },
                    mean { $0.count(of: .repeatedFact) }, mean { $0.count(of: .omittedFact) }, mean(\.rudeCount),
                    mean { $0.closesPolitely ? 1 : 0 },
                ]
            }
        )
    }

    private var reading: String {
        let count = evaluation.responses[.sft]?.count ?? 0
        return """
            \(count) held-out prompts, one response each at temperature 1; mean ± standard error over prompts, which leaves the
            luck of training out. No method saw the gold reward; the reward model's score is in its own deviations.
            """
    }

    private var credit: String {
        let credit = CreditSummary(evaluation.responses[.sft, default: []])
        let separation = credit.separation.map { String(format: "%.2f", $0) } ?? "–"
        return """
            Does RTO's token reward know which words matter? In the SFT policy's responses it is \
            \(Self.cell(credit.earned, digits: 3)) at
            words that earn gold, \(Self.cell(credit.lost, digits: 3)) at words that lose it, \
            \(Self.cell(credit.neutral, digits: 3)) at all others; it ranks a word that
            earns above one that loses with probability \(separation) (0.5 would be chance).
            """
    }

    private func examples(_ style: TextStyle) -> String {
        let text = ResponseText(style: style)
        let count = min(Self.shownPrompts, evaluation.responses[.sft]?.count ?? 0)
        let shown = (0..<count).map { index in
            let responses = QuickstartPolicy.allCases.compactMap { policy -> String? in
                evaluation.responses[policy].map { text.response($0[index], of: policy) }
            }
            return "> " + (evaluation.responses[.sft]?[index].prompt ?? "") + "\n" + responses.joined()
        }
        return "The first \(count) of these prompts; \(style.legend)\n\n" + shown.joined(separator: "\n")
    }

    private var closing: String {
        """
        This world was made, and its settings were chosen, so that the effect of token rewards shows within minutes on tiny
        models. It illustrates the method; it is no evidence for it.

        Files in \(work.path): world/ (data, untrained model), runs/ (one directory a stage: recipe.yaml, metrics.jsonl,
        samples, and a model that any Hugging Face tool loads), samples/ (completions), results.json, results.md.
        'rto report \(work.path)/runs/ppo \(work.path)/runs/rto' makes a page of their curves and samples.

        Go on with a model and data of your own: the commands above are the recipe. 'rto train rto --help' explains every
        setting, and 'rto train rto --config \(work.path)/runs/rto/recipe.yaml --print-config' shows those used here.
        """
    }

    /// A mean with its standard error.
    private static func cell(_ value: MeanWithError?, scale: Double = 1, digits: Int = 2) -> String {
        guard let value else { return "–" }
        let mean = String(format: "%.\(digits)f", scale * value.mean)
        return value.standardError.map { mean + " ± " + String(format: "%.\(digits)f", scale * $0) } ?? mean
    }

    // Files.

    /// Writes `results.md`, then `results.json`, which marks the quickstart as finished.
    func write() throws {
        let markdown =
            "# rto quickstart\n\n\(results.markdown)\n\(reading)\n\n\(content.markdown)\n\(credit)\n\n"
            + "```\n\(examples(.plain))```\n\n\(closing)\n"
        try AtomicFile.write(Array(markdown.utf8), to: URL(filePath: work.report))
        var policies = JSONObject()
        for summary in summaries { policies[summary.policy.rawValue] = .object(summary.json) }
        let text = JSON.object(policies).serialized(pretty: true) + "\n"
        try AtomicFile.write(Array(text.utf8), to: URL(filePath: work.results))
    }

    private var summaries: [PolicySummary] {
        let rivals = evaluation.responses[.sft, default: []]
        return QuickstartPolicy.allCases.map {
            PolicySummary($0, evaluation.responses[$0, default: []], against: rivals)
        }
    }
}
