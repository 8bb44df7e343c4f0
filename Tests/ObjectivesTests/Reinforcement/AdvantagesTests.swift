import Objectives
import Testing
import Torch

@Suite("Advantages")
struct AdvantagesTests {
    private let rows = RaggedRows(lengths: [2, 0, 3, 1])
    private let rewards = Tensor([1, 2, -1, 0.5, 4, 3] as [Double])
    private let values = Tensor([0.5, 1, 0, 2, -1, 10] as [Double])

    private func advantages(gamma: Double, lambda: Double) -> (advantages: Tensor, returns: Tensor) {
        generalizedAdvantages(rewards: rewards, values: values, rows: rows, gamma: gamma, lambda: lambda)
    }

    @Test("by hand: δ = (1.4, 1) then Â = (1.4 + 0.45, 1) at γ = 0.9, λ = 0.5")
    func byHand() {
        let result = advantages(gamma: 0.9, lambda: 0.5)
        expectClose(Array(result.advantages.doubles.prefix(2)), [1.85, 1])
        expectClose(Array(result.returns.doubles.prefix(2)), [2.35, 2])
        #expect(result.advantages.doubles.last == -7)
    }

    @Test("λ = 1 gives the discounted return, whatever the critic says; λ = 0 the one-token surprise")
    func extremes() {
        let whole = advantages(gamma: 0.5, lambda: 1).returns.doubles
        expectClose(whole, [1 + 0.5 * 2, 2, -1 + 0.5 * 0.5 + 0.25 * 4, 0.5 + 0.5 * 4, 4, 3])
        let surprise = advantages(gamma: 0.5, lambda: 0).advantages.doubles
        expectClose(surprise, [1 + 0.5 - 0.5, 2 - 1, -1 + 1 - 0, 0.5 - 0.5 - 2, 4 + 1, 3 - 10])
    }

    @Test("rows do not see each other: two rows at once are two rows one by one")
    func independence() {
        let together = advantages(gamma: 1, lambda: 0.95).advantages.doubles
        let apart = (0..<rows.rowCount).flatMap { row in
            generalizedAdvantages(
                rewards: rewards.narrowed(0, rows.range(row)),
                values: values.narrowed(0, rows.range(row)),
                rows: RaggedRows(lengths: [rows.lengths[row]]),
                gamma: 1,
                lambda: 0.95
            ).advantages.doubles
        }
        #expect(together == apart)
    }

    @Test("whitening by hand; the sum becomes 0 and the variance 1")
    func whitening() {
        expectClose(whitened(Tensor([1, 3] as [Float])).doubles, [-1, 1])
        let white = whitened(rewards)
        expectClose([white.sum().scalar, white.squared().mean().scalar], [0, 1])
        expectClose(whitened(rewards * 7 - 3).doubles, white.doubles)
        expectClose(whitened(Tensor([1, 5] as [Float]), dividing: false).doubles, [-2, 2])
        #expect(whitened(Tensor([Float]())).count == 0)
    }

    @Test("equal values become 0, whatever they are and however many", arguments: [true, false])
    func whiteningEqualValues(dividing: Bool) {
        for count in 1...12 {
            for value in [5, 0.1, 0.3, -0.7, 123.4] as [Float] {
                let white = whitened(Tensor(Array(repeating: value, count: count)), dividing: dividing).floats
                #expect(white.allSatisfy { $0 == 0 }, "\(count) values of \(value)")
            }
        }
    }

    @Test("explained variance: 1 for a perfect critic, 0 for a constant one")
    func explained() {
        let returns = Tensor([1, 2, 6] as [Double])
        #expect(explainedVariance(values: returns - 4, returns: returns) == 1)
        #expect(explainedVariance(values: returns.zerosLike(), returns: returns) == 0)
        expectClose([explainedVariance(values: returns * -1, returns: returns)], [-3])
        #expect(explainedVariance(values: returns, returns: returns.zerosLike()) == 0)
        #expect(explainedVariance(values: returns.zerosLike(), returns: returns.zerosLike()) == 1)
    }
}

@Suite("Recorded advantages", .needsSharedFixtures)
struct RecordedAdvantagesTests {
    @Test("equal the reference's, padded and packed", arguments: Precision.allCases)
    func reference(precision: Precision) throws {
        try Fixture("gae").run(precision) { recorded in
            let padded = try rows(recorded)
            let result = try generalizedAdvantages(
                rewards: padded.flat(recorded.input("rewards")),
                values: padded.flat(recorded.input("values")),
                rows: padded.rows,
                gamma: recorded.number("gamma") ?? 1,
                lambda: recorded.number("lambd") ?? 0.95
            )
            try recorded.expect(result.advantages, equals: "advantages", at: padded.indices)
            try recorded.expect(result.returns, equals: "returns", at: padded.indices)
        }
    }

    @Test("discounted returns equal those of REINFORCE++")
    func cumulativeReturns() throws {
        try Fixture("cumulative_returns").run { recorded in
            let padded = try recorded.paddedRows(like: "rewards")
            let rewards = padded.flat(try recorded.input("rewards"))
            let gamma = try #require(recorded.number("gamma"))
            let returns = discountedReturns(rewards: rewards, rows: padded.rows, gamma: gamma)
            try recorded.expect(returns, equals: "returns", at: padded.indices)
        }
    }

    @Test("whitened row by row they equal OpenRLHF's masked normalisation")
    func rowByRow() throws {
        try Fixture("orl_masked_normalize").run { recorded in
            let padded = try recorded.paddedRows(like: "tensor")
            let flat = padded.flat(try recorded.input("tensor"))
            let rows = (0..<padded.rows.rowCount).map { whitened(flat.narrowed(0, padded.rows.range($0))) }
            try recorded.expect(Tensor.concatenated(rows), equals: "out", at: padded.indices)
        }
    }

    @Test("equal OpenRLHF's from scores to advantages, with every estimator")
    func openRLHF() throws {
        try Fixture("advantage_estimators").run { recorded in
            let padded = try recorded.paddedRows(like: "kl")
            let estimator = recorded.text("estimator") ?? ""
            let baselines: [String: GroupBaseline] = [
                "rloo": .leaveOneOut, "reinforce_baseline": .mean, "group_norm": .normalized, "dr_grpo": .mean,
            ]
            let scores = try recorded.input("rewards")
            // The KL coefficient and λ of the recorded run are not among its parameters.
            let rewards = try shapedRewards(
                kl: padded.flat(recorded.input("kl")),
                klCoefficient: 0.01,
                tokenRewards: nil,
                scores: baselines[estimator]?.relative(scores, groupSize: recorded.integer("K")) ?? scores,
                rewardCoefficient: 1,
                rewardClip: recorded.json["params"]?["clip"]?[1]?.number ?? 0,
                rows: padded.rows
            )
            let isCritic = estimator == "gae"
            let (advantages, returns) = try generalizedAdvantages(
                rewards: rewards,
                values: isCritic ? padded.flat(recorded.input("values")) : rewards.zerosLike(),
                rows: padded.rows,
                gamma: recorded.number("gamma") ?? 1,
                lambda: isCritic ? 0.95 : 1
            )
            try recorded.expect(returns, equals: "returns", at: padded.indices)
            guard isCritic || estimator.hasPrefix("reinforce") else {
                return try recorded.expect(advantages, equals: "advantages", at: padded.indices)
            }
            let white = whitened(advantages, dividing: recorded.flag("no_std_norm") != true)
            try recorded.expect(white, equals: "advantages", at: padded.indices)
        }
    }

    /// The packed form has no mask: it is a list of rows.
    private func rows(_ recorded: FixtureCase) throws -> PaddedRows {
        guard let parts = recorded.json["inputs"]?["values"]?.array else {
            return try recorded.paddedRows(like: "values")
        }
        return PaddedRows(mask: try parts.map { Array(repeating: 1, count: try recorded.tensor($0).count) })
    }
}
