import Objectives
import Testing
import Torch

@Suite("tokenRewards")
struct TokenRewardsTests {
    private let dpo = Tensor([-1, -2, -3, -4] as [Double])
    private let reference = Tensor([-2, -1.5, -3, -1] as [Double])

    @Test("scaled by hand, clipped after scaling, and without gradient")
    func byHand() {
        dpo.requiresGradient = true
        let free = tokenRewards(dpo: dpo, reference: reference, scale: 0.1, clip: 0)
        expectClose(free.rewards.doubles, [0.1, -0.05, 0, -0.3])
        #expect(free.clipFraction == 0)
        #expect(!free.rewards.requiresGradient)
        let clipped = tokenRewards(dpo: dpo, reference: reference, scale: 0.1, clip: 0.06)
        expectClose(clipped.rewards.doubles, [0.06, -0.05, 0, -0.06])
        #expect(clipped.clipFraction == 0.5)
    }

    @Test("a scale of 0 turns token rewards off")
    func off() {
        #expect(tokenRewards(dpo: dpo, reference: reference, scale: 0, clip: 0.05).rewards.doubles == [0, 0, 0, 0])
        let impossible = tokenRewards(dpo: Tensor([-Double.infinity]), reference: Tensor([-1.0]), scale: 0, clip: 0)
        #expect(impossible.rewards.doubles == [0])
        let nothing = tokenRewards(dpo: Tensor([Float]()), reference: Tensor([Float]()), scale: 1, clip: 1)
        #expect(nothing.rewards.count == 0 && nothing.clipFraction == 0)
    }

    @Test("scaling both β₁ and κ scales the rewards; exchanging the models negates them")
    func scaling() {
        let once = tokenRewards(dpo: dpo, reference: reference, scale: 0.5, clip: 0.4).rewards
        let tenfold = tokenRewards(dpo: dpo, reference: reference, scale: 5, clip: 4).rewards
        let exchanged = tokenRewards(dpo: reference, reference: dpo, scale: 0.5, clip: 0.4).rewards
        expectClose(tenfold.doubles, (once * 10).doubles)
        expectClose(exchanged.doubles, (-once).doubles)
    }

    @Test(
        "equals the reference's rewards, but for scales of 0 and less",
        .needsSharedFixtures
    )
    func recorded() throws {
        for precision in Precision.allCases {
            try Fixture("dpo_token_rewards").run(precision) { recorded in
                let scale = try #require(recorded.number("scale")), clip = try #require(recorded.number("clip"))
                let padded = try recorded.paddedRows(like: "ref")
                let (dpo, reference) = try (recorded.input("dpo_logp"), recorded.input("ref"))
                // There a scale that is not positive is ignored, so that 0 would not turn the rewards off: it counts as 1.
                let rewards = tokenRewards(
                    dpo: padded.flat(dpo),
                    reference: padded.flat(reference),
                    scale: scale > 0 ? scale : 1,
                    clip: clip
                )
                try recorded.expect(rewards.rewards, equals: "dpo_rewards", at: padded.indices)
            }
        }
    }
}
