import Torch

/// What the score of a response is measured against: the other responses to the same prompt.
public enum GroupBaseline: Sendable, Equatable {
    /// Rᵢ − mean(R): REINFORCE++ with baseline (arXiv 2501.03262) and Dr. GRPO (arXiv 2503.20783).
    case mean
    /// Rᵢ − mean of the others: RLOO (arXiv 2402.14740), K/(K − 1) times ``mean``.
    case leaveOneOut
    /// (Rᵢ − mean(R)) / (std(R) + 1e-9), std over K − 1: GRPO (arXiv 2402.03300).
    case normalized

    /// The scores relative to their groups; scores of float32 that are all equal become 0.
    ///
    /// - Parameters:
    ///   - scores: R, the K scores of a prompt one after the other, `[prompts · K]`
    ///   - groupSize: K, at least 2
    /// - Returns: `[prompts · K]`, in float32 (float64 for float64)
    public func relative(_ scores: Tensor, groupSize: Int) -> Tensor {
        precondition(
            groupSize > 1 && scores.count % groupSize == 0,
            "\(scores.count) scores are no whole groups of \(groupSize)"
        )
        // In float64 the mean of equal float32 scores is exactly their value: what float32 would leave of them, dividing by a deviation of
        // the same size would blow up.
        let groups = scores.to(.float64).reshaped([-1, groupSize])
        let centered = groups - groups.mean(1, keepingAxis: true)
        let others = Double(groupSize - 1)
        let relative =
            switch self {
            case .mean: centered
            case .leaveOneOut: centered * (Double(groupSize) / others)
            case .normalized:
                centered / ((centered.squared().sum(1, keepingAxis: true) / others).squareRoot() + 1e-9)
            }
        return relative.reshaped(scores.shape).to(scores.precision)
    }
}
