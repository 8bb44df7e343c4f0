import Configuration
import Models
import Torch

/// A preference pair: a prompt and two responses to it.
struct PairRow {
    let prompt: [Int]
    let chosen: [Int]
    let rejected: [Int]
    /// By how much the chosen response should win, where that is asked.
    var margin: Double?

    /// Both sequences, the chosen response first.
    var responses: [ResponseBatch.Row] {
        [ResponseBatch.Row(prompt: prompt, response: chosen), ResponseBatch.Row(prompt: prompt, response: rejected)]
    }

    /// The tokens of both, whose prompt is there once.
    var tokenCount: Int { prompt.count + chosen.count + rejected.count }

    /// Batches of whole pairs within a token budget, each with the positions of its pairs in the list.
    static func microBatches(_ pairs: [PairRow], tokenBudget: Int) -> [(batch: ResponseBatch, pairs: Range<Int>)] {
        let rows = pairs.flatMap(\.responses)
        return ResponseBatch.microBatches(rows, tokenBudget: tokenBudget, together: 2).map { range in
            (ResponseBatch(Array(rows[range])), range.lowerBound / 2..<range.upperBound / 2)
        }
    }
}

extension StageRows<PairRow> {
    /// Pairs in memory.
    init(_ pairs: [PairRow]) { self.init(pairs, tokenCount: \.tokenCount) }

    /// Hands out all pairs in micro-batches within a token budget.
    func forEachMicroBatch(tokenBudget: Int, _ body: (ResponseBatch, Range<Int>) throws -> Void) throws {
        try forEachMicroBatch(tokenBudget: tokenBudget, \.responses, body)
    }
}

extension Tensor {
    /// Values of rows `[2·pairs]` as those of the chosen and of the rejected responses.
    var chosenAndRejected: (chosen: Tensor, rejected: Tensor) {
        let pairs = reshaped([-1, 2])
        return (pairs.selected(1, 0), pairs.selected(1, 1))
    }
}

extension Array {
    /// Every second element, from the first or the second on.
    func alternate(from start: Int) -> [Element] { stride(from: start, to: count, by: 2).map { self[$0] } }
}
