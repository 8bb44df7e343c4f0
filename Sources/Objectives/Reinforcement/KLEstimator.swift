import Torch

/// An estimator of KL(π‖π_ref) from single tokens that π has drawn, with d = log π − log π_ref.
///
/// Schulman, "Approximating KL divergence" (2020). The mean of each over many tokens is the divergence, of k2 nearly so.
public enum KLEstimator: Sendable, Equatable {
    /// d: unbiased, may be negative.
    case k1
    /// d²/2: biased, never negative.
    case k2
    /// e⁻ᵈ − 1 + d: unbiased, never negative.
    case k3

    /// The estimate at each token.
    ///
    /// - Parameters:
    ///   - policy: log π of the tokens, `[tokens]`
    ///   - reference: log π_ref of the tokens, `[tokens]`
    ///   - bound: estimates are brought into [−bound, bound]; `nil`, as in RTO's reference code, does not bind
    /// - Returns: `[tokens]`
    public func estimate(policy: Tensor, reference: Tensor, clamp bound: Double? = nil) -> Tensor {
        let difference = policy.precise - reference.precise
        let estimate =
            switch self {
            case .k1: difference
            case .k2: difference.squared() * 0.5
            case .k3: KLEstimator.k3(difference)
            }
        return bound.map { estimate.clamped(-$0, $0) } ?? estimate
    }

    /// In float64: near d = 0 the sum cancels to d²/2, below what float32 can tell from 1.
    ///
    /// The exponential stops where it would overflow, so that an estimate that a bound cuts off has gradient 0 there and not 0·∞.
    static func k3(_ difference: Tensor) -> Tensor {
        let exact = difference.to(.float64)
        return ((-exact).clamped(nil, 709).exp() - 1 + exact).to(difference.dtype)
    }
}
