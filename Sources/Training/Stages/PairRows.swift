import Configuration
import Models
import Torch

/// Preference pairs as rows: the chosen response of pair i is row 2i, the rejected one row 2i + 1.
struct PairRows {
    let rows: [ResponseBatch.Row]
    /// By how much each pair's chosen response should win, where that is asked.
    let margins: [Double]

    /// Rows of pairs that share their prompts; without margins these are 0.
    init(_ pairs: [(prompt: [Int], chosen: [Int], rejected: [Int])], margins: [Double]? = nil) {
        self.margins = margins ?? Array(repeating: 0, count: pairs.count)
        rows = pairs.flatMap {
            [
                ResponseBatch.Row(prompt: $0.prompt, response: $0.chosen),
                ResponseBatch.Row(prompt: $0.prompt, response: $0.rejected),
            ]
        }
    }

    var count: Int { rows.count / 2 }

    /// The most tokens of one micro-batch of pairs, whose prompt is there once.
    func largestMicroBatch(_ settings: LoopSettings) -> Int {
        let sizes = (0..<count).map {
            rows[2 * $0].prompt.count + rows[2 * $0].response.count + rows[2 * $0 + 1].response.count
        }
        return Training.largestMicroBatch(
            rowSizes: sizes,
            batchSize: settings.batchSize,
            tokenBudget: settings.microBatchTokens
        )
    }

    /// The two rows of each of the given pairs.
    func rows(of pairs: [Int]) -> [ResponseBatch.Row] { pairs.flatMap { [rows[2 * $0], rows[2 * $0 + 1]] } }

    /// Batches of whole pairs within a token budget, each with the positions of its pairs in the list.
    static func microBatches(_ rows: [ResponseBatch.Row], tokenBudget: Int) -> [(
        batch: ResponseBatch, pairs: Range<Int>
    )] {
        ResponseBatch.microBatches(rows, tokenBudget: tokenBudget, together: 2).map { range in
            (ResponseBatch(Array(rows[range])), range.lowerBound / 2..<range.upperBound / 2)
        }
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
