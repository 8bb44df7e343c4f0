import Objectives
import Testing
import Torch

@Suite("TokenRewardPlacement")
struct TokenRewardPlacementTests {
    /// Two sentences and a remainder, nothing, one token, and a response whose last token ends its only sentence.
    private let rows = RaggedRows(lengths: [6, 0, 1, 2])
    private let rewards = Tensor([0.1, 0.2, -0.4, 0.8, 1.6, 3.2, -7, 0.25, 0.5])
    private let ends: Set = [1, 3, 8]

    private func placed(_ placement: TokenRewardPlacement, _ rewards: Tensor? = nil) -> Tensor {
        placement(rewards ?? self.rewards, rows: rows) { ends.contains($0) }
    }

    @Test("by hand")
    func byHand() {
        #expect(placed(.token).doubles == rewards.doubles)
        expectClose(placed(.sentence).doubles, [0, 0.3, 0, 0.4, 0, 4.8, -7, 0, 0.75])
        expectClose(placed(.end).doubles, [0, 0, 0, 0, 0, 5.5, -7, 0, 0.75])
        expectClose(placed(.shaping).doubles, [0.1, 0.2, -0.4, 0.8, 1.6, 3.2 - 5.5, 0, 0.25, 0.5 - 0.75])
    }

    @Test("a response is paid the same by RTO, Semi-RTO and DDPO, and nothing by RS-PPO")
    func sums() {
        let single = Tensor((0..<9).map { Float($0) * 0.37 - 1.1 })
        let sums = rows.sums(single).doubles
        for placement in [TokenRewardPlacement.token, .sentence, .end] {
            expectClose(rows.sums(placed(placement, single)).doubles, sums)
        }
        expectClose(rows.sums(placed(.shaping, single)).doubles, [0, 0, 0, 0])
    }

    @Test("without a difference of the models every placement pays nothing, to the bit")
    func nothing() {
        let none = tokenRewards(dpo: rewards, reference: rewards, scale: 0.05, clip: 0.05).rewards
        for placement in [TokenRewardPlacement.token, .sentence, .end, .shaping] {
            #expect(placed(placement, none).floats.allSatisfy { $0 == 0 && $0.sign == .plus })
        }
    }

    @Test("one sentence is the whole response; a sentence at every token is RTO")
    func extremes() {
        let whole = TokenRewardPlacement.sentence(rewards, rows: rows) { _ in false }
        #expect(whole.doubles == placed(.end).doubles)
        let each = TokenRewardPlacement.sentence(rewards, rows: rows) { _ in true }
        #expect(each.doubles == rewards.doubles)
    }
}
