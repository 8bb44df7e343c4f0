import Objectives
import Testing
import Torch

@Suite("GroupBaseline")
struct GroupBaselineTests {
    private let scores = Tensor([1, 2, 6, 5, 5, 5] as [Double])

    private func relative(_ baseline: GroupBaseline, _ scores: Tensor? = nil) -> [Double] {
        baseline.relative(scores ?? self.scores, groupSize: 3).doubles
    }

    @Test("by hand: groups (1, 2, 6) and (5, 5, 5)")
    func byHand() {
        #expect(relative(.mean) == [-2, -1, 3, 0, 0, 0])
        expectClose(relative(.leaveOneOut), [1 - 4, 2 - 3.5, 6 - 1.5, 0, 0, 0])
        let deviation = 7.0.squareRoot()
        expectClose(relative(.normalized), [-2 / deviation, -1 / deviation, 3 / deviation, 0, 0, 0])
    }

    @Test(
        "each group sums to 0, whatever is added to its scores",
        arguments: [.mean, .leaveOneOut, GroupBaseline.normalized]
    )
    func shift(baseline: GroupBaseline) {
        let numbers = relative(baseline)
        expectClose([numbers[..<3].reduce(0, +), numbers[3...].reduce(0, +)], [0, 0])
        expectClose(relative(baseline, scores + Tensor([4, 4, 4, -9, -9, -9] as [Double])), numbers)
    }

    @Test("scaling scales all but the normalised scores")
    func scale() {
        expectClose(relative(.leaveOneOut, scores * 7), relative(.leaveOneOut).map { 7 * $0 })
        expectClose(relative(.normalized, scores * 7), relative(.normalized))
    }

    @Test(
        "equal scores become 0, in groups of any size",
        arguments: [.mean, .leaveOneOut, GroupBaseline.normalized]
    )
    func equalScores(baseline: GroupBaseline) {
        for size in 2...12 {
            for score in [0.1, 0.3, -0.7, 123.4] as [Float] {
                let numbers = baseline.relative(Tensor(Array(repeating: score, count: size)), groupSize: size).floats
                #expect(numbers.allSatisfy { $0 == 0 }, "\(size) scores of \(score)")
            }
        }
    }
}
