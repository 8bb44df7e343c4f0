import Objectives
import Testing
import Torch

@Suite("LossWeights")
struct LossWeightsTests {
    private let rows = RaggedRows(lengths: [1, 0, 3])

    @Test("three normalisations by hand")
    func byHand() {
        func weights(_ normalization: LossNormalization) -> [Double] {
            LossWeights.weights(rows, normalization: normalization, batch: BatchTotals(rows)).doubles
        }
        #expect(BatchTotals(rows) == BatchTotals(tokens: 4, rows: 2))
        #expect(weights(.token) == [0.25, 0.25, 0.25, 0.25])
        expectClose(weights(.sequence), [1 / 2, 1 / 6, 1 / 6, 1 / 6])
        expectClose(weights(.constant(10)), [0.05, 0.05, 0.05, 0.05])
    }

    @Test("sum to 1 over a batch, and do not depend on how it is cut", arguments: [LossNormalization.token, .sequence])
    func cutting(normalization: LossNormalization) {
        let parts = [RaggedRows(lengths: [2, 5]), RaggedRows(lengths: [0]), RaggedRows(lengths: [1, 1, 4])]
        let whole = RaggedRows(lengths: parts.flatMap(\.lengths))
        let totals = parts.map { BatchTotals($0) }.reduce(BatchTotals(tokens: 0, rows: 0), +)
        let pieces = parts.flatMap { LossWeights.weights($0, normalization: normalization, batch: totals).doubles }
        #expect(totals == BatchTotals(whole))
        #expect(pieces == LossWeights.weights(whole, normalization: normalization, batch: totals).doubles)
        expectClose([pieces.reduce(0, +)], [1])
    }

    @Test("the weights of a batch sum to the total", arguments: [.token, .sequence, LossNormalization.constant(10)])
    func total(normalization: LossNormalization) {
        let totals = BatchTotals(rows)
        let weights = LossWeights.weights(rows, normalization: normalization, batch: totals).doubles
        expectClose([weights.reduce(0, +)], [normalization.total(of: totals)])
    }

    @Test("nothing weighs nothing")
    func empty() {
        let nothing = RaggedRows(lengths: [0])
        #expect(LossWeights.weights(nothing, normalization: .sequence, batch: BatchTotals(nothing)).count == 0)
    }
}
