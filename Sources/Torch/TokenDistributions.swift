import CLibTorch

/// What a model p and a reference model q with the same vocabulary say at each token of a text, `[tokens]` each, in float32
/// (float64 for float64 input).
public struct TokenDistributions {
    /// log p(target); gradients flow to the model.
    public let logProbabilities: Tensor
    /// log q(target), without gradient.
    public let referenceLogProbabilities: Tensor
    /// KL(q ‖ p) = Σ q·(log q − log p) over the vocabulary; gradients flow to the model.
    public let divergences: Tensor
    /// The entropy of q in nats, −Σ q·log q, without gradient: with the divergence it makes the cross-entropy.
    public let referenceEntropies: Tensor

    /// Compares two models' distributions, of which no more than `chunkRows` rows each are held at a time beyond what a forward
    /// pass keeps for its backward pass, which is bounded.
    ///
    /// - Parameters:
    ///   - hidden: the model's states, `[tokens, width]`
    ///   - weight: its head, `[vocabulary, width]`
    ///   - softCap: c where its logits are c · tanh(logits / c)
    ///   - referenceHidden: the reference's states, `[tokens, its width]`
    ///   - referenceWeight: its head, `[vocabulary, its width]`
    ///   - referenceSoftCap: the same of its logits
    ///   - targets: `[tokens]`, int64
    public init(
        hidden: Tensor,
        weight: Tensor,
        softCap: Double? = nil,
        referenceHidden: Tensor,
        referenceWeight: Tensor,
        referenceSoftCap: Double? = nil,
        targets: Tensor,
        chunkRows: Int? = nil
    ) {
        precondition(hidden.size(0) == targets.count && referenceHidden.size(0) == targets.count, "one target a row")
        let rows = chunkRows ?? Tensor.logitChunkRows(vocabulary: weight.size(0), on: weight.device)
        var results = [TensorPointer?](repeating: nil, count: 4)
        withExtendedLifetime((hidden, weight, referenceHidden, referenceWeight, targets)) {
            let status = libtorch.pointee.token_distributions(
                hidden.handle.pointer,
                weight.handle.pointer,
                softCap ?? 0,
                referenceHidden.handle.pointer,
                referenceWeight.handle.pointer,
                referenceSoftCap ?? 0,
                targets.handle.pointer,
                Int64(rows),
                &results
            )
            if status != 0 { results[0] = nil }
        }
        let found = results.map { Tensor(owning: unwrap($0, "TokenDistributions")) }
        logProbabilities = found[0]
        referenceLogProbabilities = found[1]
        divergences = found[2]
        referenceEntropies = found[3]
    }
}
