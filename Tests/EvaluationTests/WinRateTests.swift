import Testing

@testable import Evaluation

/// Win rates small enough to count by hand.
@Suite struct WinRateTests {
    @Test("wins, losses, draws old and new, and what is no preference")
    func counts() {
        let rate = WinRate([2, 1, 1.5, 0, nil, -1, 2.4, 1.2])
        // 2, 1, 1.5, 1.5 and 1.2 count; 2.4 counts as 2 once it is rounded, and 1.2 as 1.
        #expect(rate.total == 5 && rate.wins == 1 && rate.baselineWins == 2 && rate.draws == 2)
        #expect(abs(rate.winRate - 100 * (1 + 0 + 0.5 + 0.5 + 0.2) / 5) < 1e-12)
        #expect(abs(rate.discreteWinRate - 100 * (1 + 0 + 0.5 + 0.5 + 1 + 0) / 6) < 1e-12)
    }

    @Test("the standard error is the sample deviation over √n")
    func standardError() {
        // y = 1, 0, 1, 0: deviation √(1/3), error √(1/12).
        #expect(abs(WinRate([2, 1, 2, 1]).standardError - 100 * (1.0 / 12).squareRoot()) < 1e-12)
    }

    @Test("turning every preference round turns the win rate round")
    func mirrored() {
        let preferences = [1.1, 1.9, 1.5, 1.25, 2]
        let sum = WinRate(preferences).winRate + WinRate(preferences.map { 3 - $0 }).winRate
        #expect(abs(sum - 100) < 1e-12)
    }

    @Test("percentiles interpolate between the ordered values")
    func percentiles() {
        #expect(Sample.percentile([3, 1, 2], 50) == 2)
        #expect(Sample.percentile([1, 2, 3, 4], 25) == 1.75)
        #expect(Sample.percentile([5], 97.5) == 5)
    }
}
