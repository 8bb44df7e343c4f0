import Foundation
import Objectives
import Testing
import Torch

@Suite("pairwiseRewardLoss")
struct PairwiseRewardLossTests {
    @Test("by hand: log 2 at no gap, log(1 + e⁻²) at gap 3 and margin 1")
    func byHand() {
        let losses = pairwiseRewardLoss(
            chosen: Tensor([1, 3] as [Float]),
            rejected: Tensor([0, 0] as [Float]),
            margin: Tensor([1, 1] as [Float])
        )
        expectClose(losses.doubles, [log(2), log1p(exp(-2))])
    }

    @Test("loss(a, b) − loss(b, a) = b − a, for gaps of any size")
    func antisymmetry() {
        let (a, b) = (Tensor([0.3, 500, -2e4] as [Float]), Tensor([1, -500, 2e4] as [Float]))
        let difference = pairwiseRewardLoss(chosen: a, rejected: b) - pairwiseRewardLoss(chosen: b, rejected: a)
        expectClose(difference.doubles, (b - a).doubles)
    }

    @Test("equals the reference's losses", .needsSharedFixtures)
    func reference() throws {
        for precision in Precision.allCases {
            try Fixture("pairwise_rm_loss").run(precision) { recorded in
                // The reference's second form, log(1 + e^(l − w)), is the same function; it ignores the margin.
                let hasMargin = recorded.text("kind") == "sigmoid" && recorded.json["inputs"]?["margin"] != nil
                let loss = try pairwiseRewardLoss(
                    chosen: recorded.input("chosen"),
                    rejected: recorded.input("rejected"),
                    margin: hasMargin ? recorded.input("margin") : nil
                ).mean()
                try recorded.expect(loss, equals: "loss")
                try recorded.expectGradients(of: loss)
            }
        }
    }
}
