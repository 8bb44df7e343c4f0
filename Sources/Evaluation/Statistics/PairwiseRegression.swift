import Foundation

/// The strengths of models against one baseline, and what style adds: logistic regression solved by Newton's method.
///
/// min over w of ½ r ‖w‖² + Σᵢ cᵢ [−yᵢ log σ(zᵢ) − (1 − yᵢ) log(1 − σ(zᵢ))], zᵢ = s (w_model(i) − w_baseline) + Σₖ w_k f_ik,
/// where yᵢ is 1 if the model wins row i, 0 if the baseline does, ½ for a tie. Without a penalty (r = 0) only differences are
/// determined, and the baseline's strength is 0.
struct PairwiseRegression: Sendable {
    /// The model of each row, from 0 to below `models`.
    var model: [Int]
    /// y of each row.
    var labels: [Double]
    /// The style features of each row, `styles` numbers a row.
    var features: [Double]
    /// The number of models besides the baseline.
    var models: Int
    /// The number of style features.
    var styles: Int
    /// s.
    var scale = 1.0
    /// r.
    var ridge = 0.0

    /// A solution.
    struct Fit: Sendable {
        /// s (w_model − w_baseline) of each model.
        var strengths: [Double]
        /// w_k of each style feature.
        var styles: [Double]
        /// The largest component of the objective's gradient.
        var gradientNorm: Double
    }

    /// Minimises with a weight c for each row.
    func fit(weights: [Double]) -> Fit {
        var w = [Double](repeating: 0, count: models + 1 + styles)
        var norm = Double.infinity
        for _ in 0..<60 {
            let (value, gradient, hessian) = expansion(w, weights)
            norm = gradient.map(abs).max() ?? 0
            if norm < 1e-9 { break }
            let step = Self.solve(hessian, gradient)
            let slope = zip(step, gradient).reduce(0) { $0 - $1.0 * $1.1 }
            var length = 1.0
            var next = w
            repeat {
                next = zip(w, step).map { $0 - length * $1 }
                length /= 2
                // Near the optimum the fall drowns in rounding, and the whole step is right.
            } while slope < -1e-9 && loss(next, weights) > value + 1e-4 * length * slope && length > 1e-9
            w = next
        }
        return Fit(
            strengths: (0..<models).map { scale * (w[$0] - w[models]) },
            styles: Array(w[(models + 1)...]),
            gradientNorm: norm
        )
    }

    private func score(_ row: Int, _ w: [Double]) -> Double {
        var score = scale * (w[model[row]] - w[models])
        for k in 0..<styles { score += w[models + 1 + k] * features[row * styles + k] }
        return score
    }

    private func loss(_ w: [Double], _ weights: [Double]) -> Double {
        var sum = ridge / 2 * w.reduce(0) { $0 + $1 * $1 }
        for row in labels.indices where weights[row] != 0 {
            let score = score(row, w)
            sum += weights[row] * (softplus(score) - labels[row] * score)
        }
        return sum
    }

    /// Sums over the rows of one model, from which gradient and Hessian are put together: every row holds the same value in
    /// its model's column and the opposite one in the baseline's.
    private struct Sums {
        var residual = 0.0
        var curvature = 0.0
        var styled: [Double]
    }

    private func expansion(_ w: [Double], _ weights: [Double]) -> (Double, [Double], [[Double]]) {
        var sums = [Sums](repeating: Sums(styled: [Double](repeating: 0, count: styles)), count: models)
        var styleGradient = [Double](repeating: 0, count: styles)
        var styleHessian = [Double](repeating: 0, count: styles * styles)
        var value = ridge / 2 * w.reduce(0) { $0 + $1 * $1 }
        for row in labels.indices where weights[row] != 0 {
            let score = score(row, w)
            let p = sigmoid(score)
            value += weights[row] * (softplus(score) - labels[row] * score)
            let (residual, curvature) = (weights[row] * (p - labels[row]), weights[row] * p * (1 - p))
            sums[model[row]].residual += residual
            sums[model[row]].curvature += curvature
            for k in 0..<styles {
                let feature = features[row * styles + k]
                styleGradient[k] += residual * feature
                sums[model[row]].styled[k] += curvature * feature
                for l in 0...k { styleHessian[k * styles + l] += curvature * feature * features[row * styles + l] }
            }
        }
        let size = models + 1 + styles
        var gradient = w.map { ridge * $0 }
        var hessian = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
        for index in 0..<size { hessian[index][index] = ridge }
        let base = models
        for (m, sum) in sums.enumerated() {
            gradient[m] += scale * sum.residual
            hessian[m][m] += scale * scale * sum.curvature
            for k in 0..<styles { hessian[base + 1 + k][m] = scale * sum.styled[k] }
            guard ridge > 0 else { continue }
            gradient[base] -= scale * sum.residual
            hessian[base][base] += scale * scale * sum.curvature
            hessian[base][m] = -scale * scale * sum.curvature
            for k in 0..<styles { hessian[base + 1 + k][base] -= scale * sum.styled[k] }
        }
        for k in 0..<styles {
            gradient[base + 1 + k] += styleGradient[k]
            for l in 0...k { hessian[base + 1 + k][base + 1 + l] += styleHessian[k * styles + l] }
        }
        return (value, gradient, hessian)
    }

    /// Solves H x = g by Cholesky's decomposition of the lower triangle; a direction without curvature gets 0.
    private static func solve(_ hessian: [[Double]], _ gradient: [Double]) -> [Double] {
        var lower = hessian
        var x = gradient
        let count = gradient.count
        var isFlat = [Bool](repeating: false, count: count)
        for i in 0..<count {
            for j in 0...i {
                var sum = lower[i][j]
                for k in 0..<j { sum -= lower[i][k] * lower[j][k] }
                if i == j {
                    isFlat[i] = sum <= 1e-12 * max(1, hessian[i][i])
                    lower[i][i] = isFlat[i] ? 1 : sum.squareRoot()
                } else {
                    lower[i][j] = isFlat[j] ? 0 : sum / lower[j][j]
                }
            }
        }
        for i in 0..<count {
            for k in 0..<i { x[i] -= lower[i][k] * x[k] }
            x[i] = isFlat[i] ? 0 : x[i] / lower[i][i]
        }
        for i in (0..<count).reversed() {
            for k in i + 1..<max(count, i + 1) { x[i] -= lower[k][i] * x[k] }
            x[i] = isFlat[i] ? 0 : x[i] / lower[i][i]
        }
        return x
    }
}
