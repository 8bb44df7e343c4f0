import Torch

/// The Bradley–Terry loss of a reward model on each pair: −log σ(r_w − r_l − m).
///
/// InstructGPT (arXiv 2203.02155), equation 1; the margin m as in Llama 2 (arXiv 2307.09288), equation 2. Exact for gaps of
/// any size. OpenRLHF's second form, LogExp, is the same function without a margin, log(1 + exp(r_l − r_w)), which overflows there.
/// - Parameters:
///   - chosen: rewards of the chosen responses, `[pairs]`
///   - rejected: rewards of the rejected responses, `[pairs]`
///   - margin: by how much chosen should win, `[pairs]`; none is 0
/// - Returns: `[pairs]`
public func pairwiseRewardLoss(chosen: Tensor, rejected: Tensor, margin: Tensor? = nil) -> Tensor {
    let gap = chosen.precise - rejected.precise
    return -(margin.map { gap - $0.matching(gap) } ?? gap).logSigmoid()
}
