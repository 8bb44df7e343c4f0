import Configuration

/// What every method may choose for itself: one learning rate and one coefficient.
struct MethodSettings: Hashable {
    var learningRate: Double
    /// β of a preference loss, β₂ (the price of KL) of PPO, β₁ (the scale of token rewards) of RTO and its variants.
    var coefficient: Double

    /// β₂ of the methods that tune β₁.
    static let klCoefficient = 0.1
    /// The bound on DPO's log-ratio at a token, before β₁ scales it.
    static let logRatioClip = 5.0

    /// The settings that are tried for a method: two learning rates and three coefficients, a factor of two apart.
    static func grid(for method: TableMethod) -> [MethodSettings] {
        let coefficients: [Double] =
            switch method {
            case .simpo: [1.25, 2.5, 5]
            default: [0.05, 0.1, 0.2]
            }
        return [5e-4, 1e-3].flatMap { rate in
            coefficients.map { MethodSettings(learningRate: rate, coefficient: $0) }
        }
    }
}
