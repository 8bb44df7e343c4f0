import Objectives
import Testing
import Torch

/// The active slots of padded rows `[rows, slots]`: the bridge from the reference's masks to ragged rows.
struct PaddedRows {
    /// Where the active slots lie in the flattened padded tensor.
    let indices: [Int]
    let rows: RaggedRows

    /// From a mask of numbers, row by row.
    init(mask: [[Int]]) {
        var indices: [Int] = []
        var start = 0
        for row in mask {
            indices += row.indices.filter { row[$0] != 0 }.map { start + $0 }
            start += row.count
        }
        self.indices = indices
        rows = RaggedRows(lengths: mask.map { $0.count { $0 != 0 } })
    }

    /// The active elements of a padded tensor, `[tokens]`; gradients flow back to its active slots.
    func flat(_ padded: Tensor) -> Tensor { padded.reshaped([-1]).rows(indices) }
}

extension FixtureCase {
    /// The active slots of the case's mask; all slots of `tensor` where it has none.
    func paddedRows(_ key: String = "mask", like tensor: String) throws -> PaddedRows {
        if json["inputs"]?[key] != nil { return PaddedRows(mask: try integerRows(key)) }
        let shape = try input(tensor).shape
        return PaddedRows(mask: Array(repeating: Array(repeating: 1, count: shape[1]), count: shape[0]))
    }
}

/// log softmax of recorded logits at targets, through the function that training uses: the weight is the identity.
///
/// - Parameters:
///   - logits: `[…, vocabulary]`
///   - positions: which row of the flattened logits scores which token
func logProbabilities(_ logits: Tensor, _ positions: [(row: Int, target: Int)], temperature: Double = 1) -> Tensor {
    let vocabulary = logits.size(-1)
    let identity = (0..<vocabulary * vocabulary).map { Float($0 % (vocabulary + 1) == 0 ? 1 : 0) }
    return Tensor.tokenLogProbabilities(
        hidden: logits.reshaped([-1, vocabulary]).rows(positions.map(\.row)),
        weight: Tensor(identity, shape: [vocabulary, vocabulary]).to(logits.dtype),
        targets: Tensor(positions.map(\.target)),
        temperature: temperature
    )
}

/// Recorded logits of two models, compared through the function that training uses: the weights are the identity.
func tokenDistributions(
    _ logits: Tensor,
    reference: Tensor,
    _ positions: [(row: Int, target: Int)],
    chunkRows: Int = 2
) -> TokenDistributions {
    let vocabulary = logits.size(-1)
    let identity = Tensor(
        (0..<vocabulary * vocabulary).map { Float($0 % (vocabulary + 1) == 0 ? 1 : 0) },
        shape: [vocabulary, vocabulary]
    )
    func rows(_ logits: Tensor) -> Tensor { logits.reshaped([-1, vocabulary]).rows(positions.map(\.row)) }
    return TokenDistributions(
        hidden: rows(logits),
        weight: identity.to(logits.dtype),
        referenceHidden: rows(reference.detached()),
        referenceWeight: identity.to(reference.dtype),
        targets: Tensor(positions.map(\.target)),
        chunkRows: chunkRows
    )
}
