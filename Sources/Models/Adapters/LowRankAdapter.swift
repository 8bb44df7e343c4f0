import Torch

/// What an adapter adds to a linear layer: s·B·(A·x).
struct LowRankAdapter {
    /// A, `[rank, inputs]`.
    let down: LinearWeight
    /// B, `[outputs, rank]`.
    let up: LinearWeight
    /// s.
    let scale: Double
    /// What zeroes inputs in training, with the number of this layer.
    let dropout: (masks: AdapterDropout, layer: Int)?

    /// Rows `[tokens, inputs]` to `[tokens, outputs]`, in their type.
    func callAsFunction(_ input: Tensor) -> Tensor {
        let read = dropout.map { $0.masks.drop(input, layer: $0.layer) } ?? input
        return up(down(read)) * scale
    }
}
