import Torch

/// Generalised advantage estimation: Âₜ = δₜ + γλ·Âₜ₊₁ with δₜ = rₜ + γ·Vₜ₊₁ − Vₜ, and returns Âₜ + Vₜ.
///
/// GAE (arXiv 1506.02438), equation 16, as a recursion from the last token of each row, after which V and Â are 0: a
/// response that was cut by the length limit is not bootstrapped, as in the reference code.
/// - Parameters:
///   - rewards: rₜ, `[tokens]`
///   - values: Vₜ, the value of the state before token t, `[tokens]`
///   - gamma: the discount γ
///   - lambda: λ: 0 trusts the critic after one token, 1 not at all
/// - Returns: `[tokens]` each, without gradient, in float32 (float64 for float64 rewards)
public func generalizedAdvantages(
    rewards: Tensor,
    values: Tensor,
    rows: RaggedRows,
    gamma: Double,
    lambda: Double
) -> (advantages: Tensor, returns: Tensor) {
    precondition(
        rewards.shape == [rows.tokenCount] && values.shape == rewards.shape,
        "\(rows.tokenCount) tokens have rewards \(rewards.shape) and values \(values.shape)"
    )
    // On the host, in the type of the tensors: a recursion over tokens is a chain of tiny operators anywhere else.
    if rewards.precision == .float64 {
        let (advantages, returns) = recursion(rewards.doubles, values.doubles, rows, gamma, gamma * lambda)
        return (Tensor(advantages).to(rewards.device), Tensor(returns).to(rewards.device))
    }
    let (advantages, returns) = recursion(rewards.floats, values.floats, rows, Float(gamma), Float(gamma * lambda))
    return (Tensor(advantages).to(rewards.device), Tensor(returns).to(rewards.device))
}

/// Discounted returns Gₜ = rₜ + γ·Gₜ₊₁: the advantages of estimators without a critic.
///
/// REINFORCE++ (arXiv 2501.03262); RLOO, GRPO and Dr. GRPO with γ = 1.
/// - Parameter rewards: rₜ, `[tokens]`
/// - Returns: `[tokens]`
public func discountedReturns(rewards: Tensor, rows: RaggedRows, gamma: Double) -> Tensor {
    generalizedAdvantages(rewards: rewards, values: rewards.zerosLike(), rows: rows, gamma: gamma, lambda: 1).returns
}

private func recursion<Real: BinaryFloatingPoint>(
    _ rewards: [Real],
    _ values: [Real],
    _ rows: RaggedRows,
    _ gamma: Real,
    _ decay: Real
) -> (advantages: [Real], returns: [Real]) {
    var advantages = [Real](repeating: 0, count: rewards.count)
    for row in 0..<rows.rowCount {
        var (nextValue, nextAdvantage): (Real, Real) = (0, 0)
        for token in rows.range(row).reversed() {
            let surprise = rewards[token] + gamma * nextValue - values[token]
            nextAdvantage = surprise + decay * nextAdvantage
            nextValue = values[token]
            advantages[token] = nextAdvantage
        }
    }
    return (advantages, zip(advantages, values).map { $0 + $1 })
}

/// Values brought to mean 0 and variance 1: (x − μ) / √max(σ², 1e-8), σ² over n.
///
/// The reference code does it to the advantages of all tokens of all rollouts at once, so pass the whole collection and not a
/// micro-batch. Equal values become 0.
/// - Parameters:
///   - values: `[tokens]`
///   - dividing: whether to divide by the deviation, too
public func whitened(_ values: Tensor, dividing: Bool = true) -> Tensor {
    guard values.count > 0 else { return values.precise }
    // In float64 the mean of equal float32 values is exactly their value; what float32 would leave of them is divided by as little as 1e-4.
    let exact = values.to(.float64)
    let centered = exact - exact.mean()
    guard dividing else { return centered.to(values.precision) }
    return (centered * centered.squared().mean().clamped(1e-8, nil).reciprocalSquareRoot()).to(values.precision)
}

/// How much of the returns' variance the critic predicts: 1 − Var(returns − values) / Var(returns).
///
/// 1 is perfect, 0 is as good as a constant. Returns without variance give 1 where the critic is right up to a constant and 0
/// where it is not.
public func explainedVariance(values: Tensor, returns: Tensor) -> Double {
    let (values, returns) = (values.doubles, returns.doubles)
    precondition(values.count == returns.count, "each token has a value and a return")
    let residual = variance(zip(returns, values).map { $0 - $1 })
    let total = variance(returns)
    guard total > 0 else { return residual > 0 ? 0 : 1 }
    return 1 - residual / total
}

private func variance(_ numbers: [Double]) -> Double {
    let count = Double(max(1, numbers.count))
    let mean = numbers.reduce(0, +) / count
    return numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
}
