import Configuration
import Foundation

/// The table as Markdown.
struct TableReport {
    let results: TableResults

    init(_ results: TableResults) { self.results = results }

    private var plan: TablePlan { results.plan }

    /// Everything: the comparison, what the claims compare, the curve, and what stands in the responses.
    var text: String {
        let parts = [
            "# rto bench table", comparison.markdown, reading, "## Gold reward, one method less another",
            differences.markdown, curve.map { "## Gold reward by number of prompts\n\n\($0.markdown)" },
            content.map { "## What the responses hold\n\n\($0.markdown)" }, credit,
        ]
        return parts.compactMap(\.self).joined(separator: "\n\n") + "\n"
    }

    /// Every method with its columns.
    var comparison: TextTable {
        let heading = [
            "method", "gold reward", "wins against SFT, %", "length-controlled, %", "reward model", "KL to SFT",
            "tokens",
        ]
        let methods = plan.entries.filter { $0.prompts == nil }.map { (name: $0.name, title: $0.method.title) }
        return TextTable(
            heading: heading,
            rows: ([(TableResults.start, "SFT")] + methods).map { name, title in
                let lost = plan.seeds.count - results.seeds(of: name).count
                return [
                    title + (lost > 0 ? " (diverged on \(lost) of \(plan.seeds.count))" : ""),
                    Self.cell(results.gold(name)), Self.cell(results.winRate(name), scale: 100, digits: 1),
                    Self.cell(results.controlledWinRate(name), scale: 100, digits: 1), Self.cell(results.score(name)),
                    Self.cell(results.divergence(name)), Self.cell(results.length(name), digits: 1),
                ]
            }
        )
    }

    private var reading: String {
        """
        Chains of the seeds \(plan.seeds.map(String.init).joined(separator: ", ")); \(plan.scale.sizes.evaluation) held-out
        prompts each, one response at temperature 1. Means over chains ± half of the 95 % interval (Student). No method saw the gold
        reward; the reward model's score is in its own deviations.
        """
    }

    /// What the paper says about pairs of methods.
    private static let comparisons: [(TableMethod, TableMethod)] = [
        (.rto, .ppo), (.rto, .ppoUndiscounted), (.rto, .dpo), (.rto, .rsPPO), (.rto, .semiRTO), (.semiRTO, .ddpo),
        (.rto, .ddpo),
        (.rsPPOUndiscounted, .ppoUndiscounted), (.rtoReinforce, .reinforce),
    ]

    /// Paired by chain, so that the luck of a chain that both share cancels.
    var differences: TextTable {
        TextTable(
            heading: ["difference", "gold reward"],
            rows: Self.comparisons.compactMap { method, other in
                results.difference(method.rawValue, other.rawValue).map {
                    ["\(method.title) − \(other.title)", Self.cell($0)]
                }
            }
        )
    }

    /// The sample-efficiency curve, or nothing where it was left out.
    var curve: TextTable? {
        let points = plan.entries.filter { $0.prompts != nil }
        let methods = [TableMethod.ppo, .rto].filter { method in points.contains { $0.method == method } }
        guard !methods.isEmpty else { return nil }
        let counts = Set(points.compactMap(\.prompts)).sorted()
        func row(_ count: Int?) -> [String] {
            let names = methods.map { method in
                count.map { TableEntry(method, prompts: $0).name } ?? method.rawValue
            }
            return [String(count ?? plan.scale.sizes.reinforcement)] + names.map { Self.cell(results.gold($0)) }
        }
        return TextTable(heading: ["prompts"] + methods.map(\.title), rows: (counts + [nil]).map(row))
    }

    /// What the gold reward of the pocket world found, or nothing with another gold.
    var content: TextTable? {
        guard plan.configuration.gold == nil else { return nil }
        let methods = plan.entries.filter { $0.prompts == nil }.map { (name: $0.name, title: $0.method.title) }
        return TextTable(
            heading: ["per response"] + MeasuredPolicy.countedEvents,
            rows: ([(TableResults.start, "SFT")] + methods).map { name, title in
                [title]
                    + MeasuredPolicy.countedEvents.map { event in
                        Self.cell(ChainInterval(results.values(name) { $0.events[event] }), onlyMean: true)
                    }
            }
        )
    }

    /// How much of the truth the reward model and the DPO policy know.
    private var credit: String? {
        let separation = ChainInterval(results.values(TableResults.start) { $0.separation })
        let accuracies = [("reward", "eval_accuracy"), ("dpo", "eval_rewards/accuracies")].map { run, metric in
            ChainInterval(plan.chains.compactMap { LastMetrics(run: $0.directory.run(run))[metric] })
        }
        guard separation != nil || accuracies.contains(where: { $0 != nil }) else { return nil }
        return """
            Held-out pairs ranked as the judge did: reward model \(Self.cell(accuracies[0], scale: 100, digits: 1)) %, DPO's implicit
            reward \(Self.cell(accuracies[1], scale: 100, digits: 1)) %. In the SFT policy's responses DPO's token reward ranks a token
            that earns gold above one that loses it with probability \(Self.cell(separation)).
            """
    }

    /// A mean with half its interval.
    static func cell(_ value: ChainInterval?, scale: Double = 1, digits: Int = 2, onlyMean: Bool = false) -> String {
        guard let value else { return "–" }
        let mean = String(format: "%.\(digits)f", scale * value.mean)
        guard !onlyMean, let halfWidth = value.halfWidth else { return mean }
        return mean + " ± " + String(format: "%.\(digits)f", scale * halfWidth)
    }
}
