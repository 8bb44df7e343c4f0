import Foundation

/// Means and spreads of a list of numbers.
enum Sample {
    /// The arithmetic mean; not a number where there are none.
    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The standard deviation with n − `freedom` in the denominator: 1 for a sample, 0 for a population.
    static func deviation(_ values: [Double], freedom: Int = 1) -> Double {
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - freedom)).squareRoot()
    }

    /// The standard error of the mean: sd/√n with n − 1 in the deviation.
    static func standardError(_ values: [Double]) -> Double {
        deviation(values) / Double(values.count).squareRoot()
    }

    /// A percentile by linear interpolation between the ordered values, NumPy's default.
    static func percentile(_ values: [Double], _ percent: Double) -> Double {
        let ordered = values.sorted()
        let place = percent / 100 * Double(ordered.count - 1)
        let below = Int(place.rounded(.down))
        guard below + 1 < ordered.count else { return ordered[below] }
        return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - Double(below))
    }
}

/// σ(x) = 1/(1 + e⁻ˣ), without overflow.
func sigmoid(_ value: Double) -> Double {
    if value >= 0 { return 1 / (1 + exp(-value)) }
    let power = exp(value)
    return power / (1 + power)
}

/// log(1 + eˣ), without overflow.
func softplus(_ value: Double) -> Double { max(value, 0) + log1p(exp(-abs(value))) }
