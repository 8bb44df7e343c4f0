import Foundation
import JSONText
import Safetensors

/// What was measured on all chains.
struct TableResults {
    let plan: TablePlan
    /// The measures of every policy and of `sft`, chain by chain; a chain whose run diverged has none.
    private let measured: [String: [Int: MeasuredPolicy]]

    /// The policy that all methods start from.
    static let start = "sft"

    /// Reads the files.
    init(_ plan: TablePlan) {
        var measured: [String: [Int: MeasuredPolicy]] = [:]
        for chain in plan.chains {
            for name in [Self.start] + plan.entries.map(\.name) {
                measured[name, default: [:]][chain.seed] = MeasuredPolicy(contentsOf: plan.measured(name, of: chain))
            }
        }
        self.init(plan, measured)
    }

    init(_ plan: TablePlan, _ measured: [String: [Int: MeasuredPolicy]]) {
        (self.plan, self.measured) = (plan, measured)
    }

    /// The chains on which a policy came to its end, in the order of their seeds.
    func seeds(of name: String) -> [Int] { plan.seeds.filter { measured[name]?[$0] != nil } }

    /// What each chain says about a policy, in the order of their seeds.
    func values(_ name: String, _ value: (MeasuredPolicy) -> Double?) -> [Double] {
        plan.seeds.compactMap { measured[name]?[$0].flatMap(value) }
    }

    // Columns.

    func gold(_ name: String) -> ChainInterval? { ChainInterval(values(name) { mean($0.gold) }) }
    func score(_ name: String) -> ChainInterval? { ChainInterval(values(name) { mean($0.scores) }) }
    func divergence(_ name: String) -> ChainInterval? { ChainInterval(values(name) { mean($0.divergences) }) }
    func length(_ name: String) -> ChainInterval? { ChainInterval(values(name) { mean($0.lengths.map(Double.init)) }) }

    /// How often gold is above that of the starting policy's response to the same prompt, ties half.
    func winRate(_ name: String) -> ChainInterval? {
        againstStart(name) { own, start in mean(wins(own.gold, against: start.gold)) }
    }

    /// The same, as it would be for responses of equal length.
    func controlledWinRate(_ name: String) -> ChainInterval? {
        againstStart(name) { own, start in
            lengthControlledWinRate(
                wins: wins(own.gold, against: start.gold),
                lengths: own.lengths,
                rivals: start.lengths
            )
        }
    }

    /// By how much the gold of one policy is above another's, on the chains that have both.
    func difference(_ name: String, _ other: String) -> ChainInterval? {
        ChainInterval(
            plan.seeds.compactMap { seed in
                guard let own = measured[name]?[seed], let rival = measured[other]?[seed] else { return nil }
                return mean(own.gold).flatMap { gold in mean(rival.gold).map { gold - $0 } }
            }
        )
    }

    private func againstStart(
        _ name: String,
        _ value: (MeasuredPolicy, MeasuredPolicy) -> Double?
    ) -> ChainInterval? {
        guard name != Self.start else { return nil }
        return ChainInterval(
            plan.seeds.compactMap { seed in
                guard let own = measured[name]?[seed], let start = measured[Self.start]?[seed],
                    own.gold.count == start.gold.count
                else { return nil }
                return value(own, start)
            }
        )
    }

    private func mean(_ values: [Double]) -> Double? { MeanWithError(values)?.mean }

    // Files.

    /// Writes `results.md`, then `results.json`, which marks the table as finished.
    func write(report: String) throws {
        try AtomicFile.write(Array(report.utf8), to: URL(filePath: plan.work.report))
        var policies = JSONObject()
        for name in [Self.start] + plan.entries.map(\.name) {
            let columns = [
                ("gold_reward", gold(name)), ("win_rate_against_sft", winRate(name)),
                ("length_controlled_win_rate", controlledWinRate(name)), ("reward_model_score", score(name)),
                ("kl_to_sft", divergence(name)), ("response_tokens", length(name)),
            ]
            var row = JSONObject()
            for (column, interval) in columns { if let interval { row[column] = interval.json } }
            row["diverged_chains"] = .integer(plan.seeds.count - seeds(of: name).count)
            policies[name] = .object(row)
        }
        let json: JSON = ["chains": .array(plan.seeds.map(JSON.integer)), "policies": .object(policies)]
        try AtomicFile.write(Array((json.serialized(pretty: true) + "\n").utf8), to: URL(filePath: plan.work.results))
    }
}

extension ChainInterval {
    fileprivate var json: JSON {
        [
            "mean": .number(mean), "half_width": halfWidth.map(JSON.number) ?? .null,
            "chains": .array(values.map(JSON.number)),
        ]
    }
}
