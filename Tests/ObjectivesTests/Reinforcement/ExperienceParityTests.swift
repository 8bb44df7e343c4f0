import JSONText
import Objectives
import Testing
import Torch

@Suite("Ragged rows against the padded reference", .needsSharedFixtures)
struct ExperienceParityTests {
    @Test("the replay buffer: trimmed rows are the rows' ranges, and whitening is over all of them")
    func replayBuffer() throws {
        try Fixture("replay_buffer").run { recorded in
            let padded = try recorded.paddedRows("action_mask", like: "values")
            let attended = try recorded.paddedRows("attention_mask", like: "sequences")
            let trimmed = try #require(recorded.output("trimmed_rows").array)
            let white = try #require(recorded.output("whitened_advantages_per_row").array)
            let whitenedAdvantages = whitened(padded.flat(try recorded.input("advantages")))
            for row in 0..<padded.rows.rowCount {
                let range = padded.rows.range(row)
                for key in ["action_log_probs", "values", "returns", "advantages"] {
                    let expected = try recorded.tensor(#require(trimmed[row][key]))
                    #expect(padded.flat(try recorded.input(key)).narrowed(0, range).floats == expected.floats)
                }
                let tokens = attended.flat(try recorded.input("sequences")).narrowed(0, attended.rows.range(row))
                #expect(tokens.integers == (try recorded.tensor(#require(trimmed[row]["sequences"])).integers))
                let expected = try recorded.tensor(white[row]).doubles
                expectClose(whitenedAdvantages.narrowed(0, range).doubles, expected, (1e-5, 1e-6), recorded.name)
            }
        }
    }

    @Test("the worked example of RTO, every stage")
    func workedExample() throws {
        try Fixture("plan_golden").run(.float64, where: { $0.name == "rto_worked_example" }) { recorded in
            let padded = try recorded.paddedRows(like: "logp")
            func flat(_ key: String) throws -> Tensor { padded.flat(try recorded.input(key)) }
            func number(_ key: String) throws -> Double { try #require(recorded.number(key)) }

            let dense = try tokenRewards(
                dpo: flat("dpo"),
                reference: flat("ref"),
                scale: number("dpo_reward_scale"),
                clip: number("dpo_reward_clip")
            )
            let kl = try KLEstimator.k1.estimate(policy: flat("logp"), reference: flat("ref"))
            let rewards = try shapedRewards(
                kl: kl,
                klCoefficient: number("kl_coef"),
                tokenRewards: dense.rewards,
                scores: recorded.input("r"),
                rewardCoefficient: 1,
                rewardClip: 10,
                rows: padded.rows
            )
            let (advantages, returns) = try generalizedAdvantages(
                rewards: rewards,
                values: flat("values"),
                rows: padded.rows,
                gamma: number("gamma"),
                lambda: number("lambd")
            )
            let stages = [
                ("kl", kl), ("dpo_rewards", dense.rewards), ("reward", rewards), ("advantages", advantages),
                ("returns", returns), ("whitened", whitened(advantages)),
            ]
            for (key, value) in stages { try recorded.expect(value, equals: key, at: padded.indices) }

            let weights = LossWeights.weights(padded.rows, normalization: .sequence, batch: BatchTotals(padded.rows))
            let policy = try clippedPolicyLoss(
                new: flat("new_logp"),
                old: flat("logp"),
                advantages: whitened(advantages),
                weights: weights,
                clip: PolicyClip(number("clip_eps"))
            )
            let value = try clippedValueLoss(
                new: flat("new_values"),
                old: flat("values"),
                returns: returns,
                weights: weights,
                clipRange: number("value_clip")
            )
            try recorded.expect(policy.loss, equals: "policy_loss")
            try recorded.expect(value.loss, equals: "value_loss")
        }
    }
}
