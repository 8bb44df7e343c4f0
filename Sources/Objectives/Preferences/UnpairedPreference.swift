import Torch

/// Kahneman–Tversky optimisation on single responses: w₊·(1 − σ(β·(Δ − K))) for good ones, w₋·(1 − σ(β·(K − Δ))) for bad ones.
///
/// Δ = log π(y)/π_ref(y), and K, from which no gradient flows, estimates KL(π ‖ π_ref) by the mean of Δ over prompts with another
/// row's response, at least 0. KTO (arXiv 2402.01306), equation 8. As in OpenRLHF, prompt i is met with the response of row i + 1,
/// around the batch; deviation: K is of the whole batch of a step, not of a micro-batch, so that how a batch is cut does not
/// matter. Rewards are β·Δ.
public struct UnpairedPreference: Sendable, Equatable {
    /// β: how strongly the policy is held to the reference model.
    public var beta: Double
    /// w₊: the weight of good responses.
    public var desirableWeight: Double
    /// w₋: the weight of bad responses.
    public var undesirableWeight: Double

    /// KTO.
    public init(beta: Double, desirableWeight: Double = 1, undesirableWeight: Double = 1) {
        self.beta = beta
        self.desirableWeight = desirableWeight
        self.undesirableWeight = undesirableWeight
    }

    /// K from the log-ratios of mismatched prompts and responses.
    public static func divergence(_ mismatchedLogRatios: [Double]) -> Double {
        max(0, mismatchedLogRatios.reduce(0, +) / Double(max(1, mismatchedLogRatios.count)))
    }

    /// The loss of each response and its reward, the reward without gradient, `[responses]` both.
    ///
    /// - Parameters:
    ///   - logRatios: Δ, `[responses]`
    ///   - labels: which of the responses are good
    ///   - divergence: K
    public func evaluate(
        logRatios: Tensor,
        labels: [Bool],
        divergence: Double
    ) -> (losses: Tensor, rewards: Tensor) {
        let ratios = logRatios.precise
        // 1 − σ(x) = σ(−x), and a bad response is a good one with its sign turned.
        let signs = Tensor(labels.map { $0 ? -beta : beta }).matching(ratios)
        let weights = Tensor(labels.map { $0 ? desirableWeight : undesirableWeight }).matching(ratios)
        return (weights * (signs * (ratios - divergence)).sigmoid(), (beta * ratios).detached())
    }
}
