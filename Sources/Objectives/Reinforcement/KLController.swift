/// What steers β₂, the coefficient of the KL penalty, from one collection of rollouts to the next.
public struct KLController: Sendable, Equatable {
    /// How the coefficient moves.
    public enum Rule: Sendable, Equatable {
        /// Not at all.
        case fixed
        /// β₂ ← β₂·(1 + clip(kl/target − 1, ±0.2)·rollouts/horizon).
        ///
        /// Ziegler et al. (arXiv 1909.08593), section 2.2, with K_β = rollouts/horizon.
        case adaptive(target: Double, horizon: Double)
    }

    /// How the coefficient moves.
    public let rule: Rule
    /// β₂: the whole state, saved with a checkpoint and set on resuming.
    public var coefficient: Double

    /// A controller that starts from a coefficient.
    public init(coefficient: Double, rule: Rule = .fixed) {
        self.coefficient = coefficient
        self.rule = rule
    }

    /// Moves the coefficient after a collection of rollouts whose mean KL divergence, per token, was `kl`.
    public mutating func update(kl: Double, rollouts: Int) {
        guard case .adaptive(let target, let horizon) = rule else { return }
        let error = min(max(kl / target - 1, -0.2), 0.2)
        coefficient *= 1 + error * Double(rollouts) / horizon
    }
}
