import Models
import Objectives
import Torch

/// Something that judges responses: a reward model of this process, or an endpoint elsewhere.
protocol RewardSource {
    /// Judges the rows of a rollout, which lie in the batches in the same order; called without gradients.
    func judge(_ rows: [ResponseBatch.Row], _ batches: [ResponseBatch]) throws -> Judgement
}

/// What reward sources say of responses, on the CPU.
struct Judgement {
    /// The score of each response, `[rows]`.
    var scores: Tensor
    /// What is paid at each token beside it, `[response tokens]`.
    var tokenScores: Tensor?

    /// All that each response is worth, `[rows]`.
    func totals(_ rows: RaggedRows) -> Tensor { tokenScores.map { scores + rows.sums($0) } ?? scores }
}

/// A reward model with the normalisation of its scores.
struct RewardJudge: RewardSource {
    let model: ScoreModel
    /// What scores are normalised by, nil for raw scores.
    let statistics: RewardStatistics?
    /// What scores are multiplied by in the sum of several models.
    var weight = 1.0

    func judge(_ rows: [ResponseBatch.Row], _ batches: [ResponseBatch]) -> Judgement {
        Judgement(scores: flat(batches) { weight * scores($0) })
    }

    /// One score a row, `[rows]`.
    func scores(_ batch: ResponseBatch) -> Tensor {
        let raw = model.rewards(batch)
        return statistics?.normalized(raw) ?? raw
    }
}

extension [any RewardSource] {
    /// What all of them say together; without any, every score is 0.
    func judge(_ rows: [ResponseBatch.Row], _ batches: [ResponseBatch]) throws -> (sum: Judgement, parts: [Tensor]) {
        let all = try map { try $0.judge(rows, batches) }
        func sum(_ tensors: [Tensor]) -> Tensor? { tensors.first.map { tensors.dropFirst().reduce($0, +) } }
        let scores = sum(all.map(\.scores)) ?? Tensor.zeros([rows.count])
        let ragged = RaggedRows(lengths: rows.map(\.response.count))
        let whole = Judgement(scores: scores, tokenScores: sum(all.compactMap(\.tokenScores)))
        return (whole, all.map { $0.totals(ragged) })
    }
}

/// The results of all batches joined, on the CPU.
func flat(_ batches: [ResponseBatch], _ body: (ResponseBatch) -> Tensor) -> Tensor {
    Tensor.concatenated(batches.map(body)).to(.cpu)
}
