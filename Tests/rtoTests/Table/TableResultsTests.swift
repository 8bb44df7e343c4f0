import Configuration
import Foundation
import JSONText
import TestSupport
import Testing

@testable import rto

/// A policy whose responses earn these golds.
private func measured(_ gold: [Double], lengths: [Int]? = nil) -> MeasuredPolicy {
    var policy = MeasuredPolicy()
    policy.gold = gold
    policy.scores = gold.map { $0 / 2 }
    policy.divergences = gold.map { _ in 3 }
    policy.lengths = lengths ?? gold.map { _ in 10 }
    policy.events = ["true facts": 2]
    return policy
}

@Suite struct TableResultsTests {
    private let place: TemporaryDirectory
    private let results: TableResults

    init() throws {
        place = try TemporaryDirectory()
        var configuration = TableConfiguration()
        configuration.output = place.url.path
        configuration.chains = 2
        configuration.methods = [.ppo, .rto]
        // The second chain's PPO diverged.
        results = TableResults(
            try TablePlan(configuration),
            [
                "sft": [1: measured([0, 0]), 2: measured([1, 1])],
                "dpo": [1: measured([1, -1]), 2: measured([1, 3])],
                "ppo": [1: measured([1, 1])], "rto": [1: measured([2, 2]), 2: measured([4, 4])],
                "rto-256": [1: measured([1, 1]), 2: measured([1, 1])],
            ]
        )
    }

    @Test("Means and win rates are taken chain by chain") func columns() throws {
        #expect(results.gold("rto")?.values == [2, 4] && results.gold("rto")?.mean == 3)
        // Chain 1 wins and loses one, chain 2 ties one and wins one.
        #expect(results.winRate("dpo")?.values == [0.5, 0.75])
        #expect(results.winRate("sft") == nil)
        #expect(results.score("rto")?.mean == 1.5 && results.divergence("rto")?.mean == 3)
        #expect(results.length("rto")?.mean == 10)
        // Where all lengths are equal, control changes nothing.
        let controlled = try #require(results.controlledWinRate("dpo"))
        #expect(abs(controlled.mean - 0.625) < 1e-5)
    }

    @Test("Differences are paired, on the chains that both have") func differences() {
        #expect(results.difference("rto", "dpo")?.values == [2, 2])
        #expect(results.difference("rto", "ppo")?.values == [1])
        #expect(results.difference("rto", "nothing") == nil)
    }

    @Test("A run that diverged is a row that says so") func diverged() throws {
        let report = TableReport(results)
        let rows = report.comparison.rows
        #expect(rows.map(\.first) == ["SFT", "DPO", "PPO (diverged on 1 of 2)", "RTO"])
        // Chains of 2 and 4: mean 3, error 1, t 12.706.
        #expect(rows[3][1] == "3.00 ± 12.71")
        #expect(report.differences.rows.map(\.first) == ["RTO − PPO", "RTO − DPO"])
        let curve = try #require(report.curve)
        #expect(curve.rows.map(\.first) == ["256", "512", "1024", "2048", "4096"])
        #expect(curve.rows[0] == ["256", "–", "1.00 ± 0.00"] && curve.rows[4][2] == "3.00 ± 12.71")
        #expect(report.content?.rows[0] == ["SFT", "2.00", "–", "–", "–", "–"])
    }

    @Test("Results are written for people and for programs") func files() throws {
        try results.write(report: TableReport(results).text)
        #expect(try place.fileNames == ["results.json", "results.md"])
        let data = try Data(contentsOf: place.url.appending(path: "results.json"))
        let json = try JSON(parsing: Array(data))
        #expect(json["policies"]?["rto"]?["gold_reward"]?["mean"]?.number == 3)
        #expect(json["policies"]?["ppo"]?["diverged_chains"]?.integer == 1)
        #expect(json["chains"]?.array?.count == 2)
    }

    @Test("What was measured reads back, and half a file is measured again") func measures() throws {
        var policy = measured([0.5, -1.25], lengths: [3, 4])
        policy.separation = 0.75
        let path = place.url.appending(path: "m.json").path
        try policy.write(to: path)
        #expect(MeasuredPolicy(contentsOf: path) == policy)
        try place.write("m.json", #"{"gold":[1,2],"tokens":[1]}"#)
        #expect(MeasuredPolicy(contentsOf: path) == nil && MeasuredPolicy(contentsOf: path + "x") == nil)
    }

    @Test("The best point of a method's grid is marked") func tuning() throws {
        var configuration = results.plan.configuration
        (configuration.tunes, configuration.methods) = (true, [.ppo])
        let plan = try TablePlan(configuration)
        let golds = Dictionary(uniqueKeysWithValues: plan.entries.enumerated().map { ($1.name, Double($0)) })
        let tuned = TableResults(plan, golds.mapValues { [plan.seeds[0]: measured([$0, $0])] })
        let rows = TuningReport(tuned).grid.rows
        #expect(rows.count == 2 && rows[0].prefix(2) == ["PPO", "0.0005"])
        #expect(rows[1].last == "β₂ 0.2: **6.00**" && rows.joined().count { $0.contains("**") } == 1)
    }
}
