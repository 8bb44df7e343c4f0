import Objectives
import Testing
import Torch

@Suite("shapedRewards")
struct ShapedRewardsTests {
    private let rows = RaggedRows(lengths: [2, 0, 1])
    private let kl = Tensor([1, -2, 3] as [Double])

    @Test("by hand: penalty everywhere, the bounded score on each row's last token")
    func byHand() {
        let rewards = shapedRewards(
            kl: kl,
            klCoefficient: 0.1,
            tokenRewards: Tensor([0.01, 0.02, 0.03]),
            scores: Tensor([5, 7, -50] as [Double]),
            rewardCoefficient: 2,
            rewardClip: 10,
            rows: rows
        )
        expectClose(rewards.doubles, [-0.1 + 0.01, 0.2 + 0.02 + 10, -0.3 + 0.03 - 20])
    }

    @Test("a row's rewards sum to its score, its token rewards and its penalty; no bound does not bind")
    func sums() {
        let (dense, scores) = (Tensor([0.5, -1, 4]), Tensor([30, 0, -70] as [Double]))
        let rewards = shapedRewards(
            kl: kl,
            klCoefficient: 0.2,
            tokenRewards: dense,
            scores: scores,
            rewardCoefficient: 1,
            rewardClip: 0,
            rows: rows
        )
        expectClose(rows.sums(rewards).doubles, (scores + rows.sums(dense) - 0.2 * rows.sums(kl)).doubles)
    }

    @Test("equals the reference's rewards", .needsSharedFixtures)
    func recorded() throws {
        for precision in Precision.allCases {
            try Fixture("compute_reward").run(precision) { recorded in
                let padded = try actions(recorded)
                let (policy, reference) = try (recorded.input("logp"), recorded.input("ref"))
                let kl = KLEstimator.k1.estimate(policy: padded.flat(policy), reference: padded.flat(reference))
                let dense = try recorded.json["inputs"]?["token_reward"].map { _ in
                    try padded.flat(recorded.input("token_reward"))
                }
                let rewards = try shapedRewards(
                    kl: kl,
                    klCoefficient: #require(recorded.number("kl_coef")),
                    tokenRewards: dense,
                    scores: recorded.input("r"),
                    rewardCoefficient: 1,
                    rewardClip: 10,
                    rows: padded.rows
                )
                try recorded.expect(kl, equals: "kl", at: padded.indices)
                try recorded.expect(rewards, equals: "reward", at: padded.indices)
            }
        }
    }

    @Test("equals OpenRLHF's rewards", .needsSharedFixtures)
    func openRLHF() throws {
        for precision in Precision.allCases {
            try Fixture("orl_compute_reward").run(precision) { recorded in
                let padded = try recorded.paddedRows(like: "kl")
                let rewards = try shapedRewards(
                    kl: padded.flat(recorded.input("kl")),
                    klCoefficient: #require(recorded.number("kl_coef")),
                    tokenRewards: nil,
                    scores: recorded.input("r"),
                    rewardCoefficient: 1,
                    rewardClip: recorded.json["params"]?["clip"]?[1]?.number ?? 0,
                    rows: padded.rows
                )
                try recorded.expect(rewards, equals: "reward", at: padded.indices)
            }
        }
    }

    /// The packed form has no mask: one row of slots, cut by the numbers of actions.
    private func actions(_ recorded: FixtureCase) throws -> PaddedRows {
        guard recorded.json["params"]?["num_actions"] != nil else { return try recorded.paddedRows(like: "logp") }
        return PaddedRows(mask: try recorded.integers("num_actions").map { Array(repeating: 1, count: $0) })
    }
}
