import Objectives
import Testing
import Torch

@Suite("RewardStatistics and PairStatistics")
struct RewardStatisticsTests {
    @Test("mean and unbiased deviation by hand; two scores at least")
    func byHand() throws {
        let statistics = try #require(RewardStatistics(scores: [1, 2, 3, 6]))
        #expect(statistics.mean == 3)
        expectClose([statistics.deviation], [(14.0 / 3).squareRoot()])
        #expect(RewardStatistics(scores: [1]) == nil)
        #expect(try #require(RewardStatistics(scores: [2, 2])).deviation == 1e-8)
    }

    @Test("normalised scores have mean 0 and unbiased deviation 1")
    func normalization() throws {
        let scores = [4, -1, 0.5, 12, 3.25]
        let statistics = try #require(RewardStatistics(scores: scores))
        let normalized = statistics.normalized(Tensor(scores))
        let again = try #require(RewardStatistics(scores: normalized.doubles))
        expectClose([again.mean, again.deviation], [0, 1])
    }

    @Test("equals the reference's statistics", .needsSharedFixtures)
    func reference() throws {
        try Fixture("rm_eval_stats").run { recorded in
            let scores = try recorded.input("chosen").doubles + recorded.input("rejected").doubles
            let statistics = try #require(RewardStatistics(scores: scores))
            try recorded.expect(Tensor([statistics.mean]), equals: "mean")
            try recorded.expect(Tensor([statistics.deviation]), equals: "std")
        }
    }

    @Test("accuracy counts strict wins, and parts of a batch add up")
    func pairs() {
        let (chosen, rejected) = (Tensor([1, 2, 0] as [Float]), Tensor([0, 2, 3] as [Float]))
        let whole = PairStatistics(chosen: chosen, rejected: rejected)
        expectClose([whole.accuracy, whole.chosen, whole.rejected, whole.margin], [1 / 3, 1, 5 / 3, -2 / 3])
        let parts = [0..<1, 1..<3].map {
            PairStatistics(chosen: chosen.narrowed(0, $0), rejected: rejected.narrowed(0, $0))
        }
        #expect(parts.reduce(PairStatistics(), +) == whole)
        #expect(PairStatistics().accuracy == 0)
    }
}
