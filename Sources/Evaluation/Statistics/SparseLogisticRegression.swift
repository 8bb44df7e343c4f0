import Foundation

/// Logistic regression of fractional labels with an L1 penalty, solved to its optimum.
///
/// min over w of ‖w‖₁ + C Σⱼ sⱼ [−yⱼ log σ(w·xⱼ) − (1 − yⱼ) log(1 − σ(w·xⱼ))], which is what LIBLINEAR minimises when each row
/// is given twice, with label 1 and weight s·y and with label 0 and weight s·(1 − y). LIBLINEAR stops at a tolerance of 1e-4;
/// here proximal Newton steps go on until no subgradient is left.
public struct SparseLogisticRegression: Sendable {
    /// The rows' features, three each: φ's, γ's and θ's.
    var features: [SIMD3<Double>]
    /// The rows' labels, from 0 to 1.
    var labels: [Double]
    /// The rows' weights.
    var weights: [Double]

    /// A solution.
    public struct Fit: Equatable, Sendable {
        /// w.
        public var coefficients: SIMD3<Double>
        /// The largest component of the smallest subgradient, divided by max(1, C).
        public var gradientNorm: Double
    }

    /// Minimises at a strength C.
    func fit(strength: Double) -> Fit {
        var w = SIMD3<Double>.zero
        var violation = Double.infinity
        for _ in 0..<100 {
            let (value, gradient, curvature) = expansion(w)
            violation = Self.violation(w, gradient * strength) / max(1, strength)
            if violation < 1e-11 { break }
            let direction = Self.step(from: w, gradient * strength, curvature.map { $0 * strength })
            guard let next = descend(from: w, along: direction, strength, value, gradient) else { break }
            w = next
        }
        return Fit(coefficients: w, gradientNorm: violation)
    }

    /// The weighted cross-entropy, its gradient and its Hessian (by rows).
    private func expansion(_ w: SIMD3<Double>) -> (Double, SIMD3<Double>, [SIMD3<Double>]) {
        var value = 0.0
        var gradient = SIMD3<Double>.zero
        var (first, second, third) = (SIMD3<Double>.zero, SIMD3<Double>.zero, SIMD3<Double>.zero)
        for row in features.indices {
            let x = features[row]
            let score = (w * x).sum()
            let p = sigmoid(score)
            value += weights[row] * (softplus(score) - labels[row] * score)
            gradient += x * (weights[row] * (p - labels[row]))
            let bent = x * (weights[row] * p * (1 - p))
            first += bent * x.x
            second += bent * x.y
            third += bent * x.z
        }
        return (value, gradient, [first, second, third])
    }

    private func loss(_ w: SIMD3<Double>) -> Double {
        features.indices.reduce(0) { sum, row in
            let score = (w * features[row]).sum()
            return sum + weights[row] * (softplus(score) - labels[row] * score)
        }
    }

    /// How far w is from optimal: |g + sign w| where w ≠ 0, what of |g| exceeds 1 where w = 0.
    private static func violation(_ w: SIMD3<Double>, _ gradient: SIMD3<Double>) -> Double {
        (0..<3).map { w[$0] == 0 ? max(0, abs(gradient[$0]) - 1) : abs(gradient[$0] + (w[$0] > 0 ? 1 : -1)) }.max() ?? 0
    }

    /// The step d that minimises g·d + ½ d·H·d + ‖w + d‖₁, by coordinate descent.
    private static func step(
        from w: SIMD3<Double>,
        _ gradient: SIMD3<Double>,
        _ hessian: [SIMD3<Double>]
    ) -> SIMD3<Double> {
        var d = SIMD3<Double>.zero
        for _ in 0..<1000 {
            var change = 0.0
            for k in 0..<3 {
                let curvature = max(hessian[k][k], 1e-12)
                let slope = gradient[k] + (hessian[k] * d).sum()
                let target = w[k] + d[k] - slope / curvature
                let shrunk = max(0, abs(target) - 1 / curvature) * (target < 0 ? -1 : 1)
                change = max(change, abs(shrunk - w[k] - d[k]))
                d[k] = shrunk - w[k]
            }
            if change < 1e-15 { break }
        }
        return d
    }

    /// The point along the direction where the objective has fallen enough (Armijo), or nil where rounding hides any fall.
    private func descend(
        from w: SIMD3<Double>,
        along direction: SIMD3<Double>,
        _ strength: Double,
        _ value: Double,
        _ gradient: SIMD3<Double>
    ) -> SIMD3<Double>? {
        let start = Self.norm(w) + strength * value
        let slope = strength * (gradient * direction).sum() + Self.norm(w + direction) - Self.norm(w)
        // Close to the optimum the fall is below what the objective can show: Newton's whole step is then the better one.
        if abs(slope) < 1e-11 * max(1, abs(start)) { return w + direction == w ? nil : w + direction }
        var length = 1.0
        for _ in 0..<40 {
            let next = w + direction * length
            if Self.norm(next) + strength * loss(next) <= start + 1e-4 * length * slope { return next }
            length /= 2
        }
        return nil
    }

    private static func norm(_ w: SIMD3<Double>) -> Double { abs(w.x) + abs(w.y) + abs(w.z) }
}
