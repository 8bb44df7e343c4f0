import Foundation

/// A mean over chains with the interval that covers the mean of all possible chains with a probability of 95 %.
struct ChainInterval: Equatable {
    let values: [Double]
    let mean: Double
    /// Half the interval's width, t·s/√n with Student's t for n − 1 degrees of freedom; nothing for a single chain.
    let halfWidth: Double?

    /// The mean of at least one chain's value.
    init?(_ values: [Double]) {
        guard let mean = MeanWithError(values) else { return nil }
        self.values = values
        self.mean = mean.mean
        halfWidth = mean.standardError.map { $0 * Self.studentQuantile(degrees: values.count - 1) }
    }

    /// The 97.5 % quantile of Student's distribution; beyond the table that of the normal distribution.
    static func studentQuantile(degrees: Int) -> Double {
        let quantiles = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
            2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ]
        precondition(degrees >= 1, "an interval needs two values")
        return degrees <= quantiles.count ? quantiles[degrees - 1] : 1.960
    }
}

/// The win rate that would be seen if responses were as long as their rivals.
///
/// AlpacaEval's length control without its terms for instructions: P(win) = σ(θ + φ·tanh(Δ/s)) is fitted by maximum
/// likelihood to wins of 0, ½ or 1, where Δ is how many tokens longer a response is than its rival and s the standard deviation
/// of Δ; the answer is σ(θ). Where wins can be separated by length, θ stays where Newton's method has come after 25 steps.
///
/// - Precondition: all lists are equally long.
func lengthControlledWinRate(wins: [Double], lengths: [Int], rivals: [Int]) -> Double? {
    precondition(wins.count == lengths.count && wins.count == rivals.count, "lists must belong to the same prompts")
    guard !wins.isEmpty else { return nil }
    let differences = zip(lengths, rivals).map { Double($0 - $1) }
    let mean = differences.reduce(0, +) / Double(differences.count)
    let deviation = (differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(differences.count)).squareRoot()
    let features = differences.map { deviation > 0 ? tanh($0 / deviation) : 0 }
    // A trace of a penalty keeps the equations solvable where all lengths are equal.
    let penalty = 1e-6
    var (intercept, slope) = (0.0, 0.0)
    for _ in 0..<25 {
        var (g0, g1) = (penalty * intercept, penalty * slope)
        var (h00, h01, h11) = (penalty, 0.0, penalty)
        for (win, feature) in zip(wins, features) {
            let probability = 1 / (1 + exp(-intercept - slope * feature))
            let (error, weight) = (probability - win, probability * (1 - probability))
            (g0, g1) = (g0 + error, g1 + error * feature)
            (h00, h01, h11) = (h00 + weight, h01 + weight * feature, h11 + weight * feature * feature)
        }
        let determinant = h00 * h11 - h01 * h01
        intercept -= (h11 * g0 - h01 * g1) / determinant
        slope -= (h00 * g1 - h01 * g0) / determinant
    }
    return 1 / (1 + exp(-intercept))
}
