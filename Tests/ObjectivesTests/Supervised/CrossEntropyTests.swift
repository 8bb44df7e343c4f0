import Foundation
import Objectives
import Testing
import Torch

@Suite("crossEntropy")
struct CrossEntropyTests {
    @Test("by hand: probabilities ½ and ⅛ weigh ¾ and ¼")
    func byHand() {
        let logProbabilities = Tensor([log(0.5), log(0.125)])
        let loss = crossEntropy(logProbabilities: logProbabilities, weights: Tensor([0.75, 0.25]))
        expectClose([loss.scalar], [1.5 * log(2)])
    }

    @Test("equal logits cost log V, whatever their value and however tokens are weighed")
    func uniform() {
        let flat = logProbabilities(Tensor.full([4, 7], 3), [(0, 0), (1, 3), (2, 6), (3, 1)])
        let weights = LossWeights.weights(
            RaggedRows(lengths: [1, 3]),
            normalization: .sequence,
            batch: BatchTotals(tokens: 4, rows: 2)
        )
        expectClose([crossEntropy(logProbabilities: flat, weights: weights).scalar], [log(7)])
    }

    @Test("a batch without targets costs 0")
    func empty() {
        #expect(crossEntropy(logProbabilities: Tensor([Float]()), weights: Tensor([Double]())).scalar == 0)
    }

    @Test("equals the reference's loss on its labels", .needsSharedFixtures)
    func reference() throws {
        for precision in Precision.allCases {
            try Fixture("sft_loss").run(precision) { recorded in
                let labels = try recorded.integerRows("labels", of: "outputs")
                let positions = labelledPositions(labels)
                let rows = RaggedRows(lengths: [positions.count])
                let loss = crossEntropy(
                    logProbabilities: logProbabilities(try recorded.input("logits"), positions),
                    weights: LossWeights.weights(rows, normalization: .token, batch: BatchTotals(rows))
                )
                try recorded.expect(loss, equals: "loss")
                try recorded.expectGradients(of: loss)
            }
        }
    }

    @Test(
        "equals OpenRLHF's loss, with its totals of the whole batch",
        .needsSharedFixtures
    )
    func openRLHF() throws {
        for precision in Precision.allCases {
            try Fixture("sft_loss_orl").run(precision) { recorded in
                let padded = try recorded.paddedRows(like: "logps")
                let loss = crossEntropy(
                    logProbabilities: padded.flat(try recorded.input("logps")),
                    weights: recorded.openRLHFWeights(padded.rows)
                )
                // Its row means divide by length + 1e-8.
                try recorded.expect(loss, equals: "loss", relative: 1e-7)
                try recorded.expectGradients(of: loss, relative: 1e-7)
            }
        }
    }
}

/// Which rows of logits score labelled tokens: position i scores token i + 1, label −100 is none.
func labelledPositions(_ labels: [[Int]]) -> [(row: Int, target: Int)] {
    labels.enumerated().flatMap { row, labels in
        labels.indices.dropFirst().filter { labels[$0] != -100 }
            .map { (row: row * labels.count + $0 - 1, target: labels[$0]) }
    }
}

extension FixtureCase {
    /// The weights of OpenRLHF's aggregation, which multiplies by the ranks because gradients are averaged over them.
    func openRLHFWeights(_ rows: RaggedRows) -> Tensor {
        var totals = BatchTotals(rows)
        totals.tokens = number("batch_num_tokens").map { Int($0) } ?? totals.tokens
        totals.rows = number("global_batch_size").map { Int($0) } ?? totals.rows
        let normalization: LossNormalization = flag("token_level_loss") ?? true ? .token : .sequence
        return LossWeights.weights(rows, normalization: normalization, batch: totals) * (number("dp_size") ?? 1)
    }
}
