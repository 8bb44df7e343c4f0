import Foundation
import JSONText

/// The win rate of one file's answers against another's, raw and at equal length, with 95 % intervals of 1,000 bootstraps.
///
/// The length-controlled rate is σ(θ) of the regression y ~ σ(θ + φ·tanh(Δ/s)) by maximum likelihood, Δ the baseline's length
/// less the model's and s its standard deviation: AlpacaEval's model without the instructions' difficulty and without penalty, as
/// neither is known of other questions.
public struct ControlledWinRate: Sendable {
    /// AlpacaEval's raw numbers.
    public let raw: WinRate
    /// The interval of the raw win rate.
    public let interval: ClosedRange<Double>
    /// The length-controlled win rate; nil where lengths do not differ.
    public let controlled: Double?
    /// Its interval.
    public let controlledInterval: ClosedRange<Double>?
    /// φ.
    public let lengthCoefficient: Double?
    /// How far the fit is from optimal.
    public let gradientNorm: Double?

    /// Compares; preferences from 1 to 2, those that are missing left out.
    ///
    /// - Throws: ``EvaluationError`` where no pair has a preference.
    public init(
        preferences: [Double?],
        baselineLengths: [Int],
        modelLengths: [Int],
        seed: UInt32,
        bootstraps: Int = 1000
    ) throws(EvaluationError) {
        raw = WinRate(preferences)
        let kept = preferences.indices.filter { preferences[$0].map(WinRate.isPreference) ?? false }
        guard !kept.isEmpty else { throw EvaluationError("no pair has a preference") }
        let labels = kept.map { (preferences[$0] ?? 1.5) - 1 }
        let differences = kept.map { Double(baselineLengths[$0] - modelLengths[$0]) }
        let deviation = kept.count > 1 ? Sample.deviation(differences) : 0
        let hasLengths = deviation > 0
        let regression = PairwiseRegression(
            model: [Int](repeating: 0, count: kept.count),
            labels: labels,
            features: hasLengths ? differences.map { tanh($0 / deviation) } : [],
            models: 1,
            styles: hasLengths ? 1 : 0
        )
        let fit = regression.fit(weights: [Double](repeating: 1, count: kept.count))
        var random = MersenneTwister(seed: seed)
        let draws = (0..<bootstraps).map { _ -> [Double] in
            var counts = [Double](repeating: 0, count: kept.count)
            for _ in kept { counts[random.index(below: kept.count)] += 1 }
            return counts
        }
        let means = draws.map { 100 * zip($0, labels).reduce(0) { $0 + $1.0 * $1.1 } / Double(kept.count) }
        interval = Sample.percentile(means, 2.5)...Sample.percentile(means, 97.5)
        guard hasLengths else {
            (controlled, controlledInterval, lengthCoefficient, gradientNorm) = (nil, nil, nil, nil)
            return
        }
        let rates = parallelMap(bootstraps) { 100 * sigmoid(regression.fit(weights: draws[$0]).strengths[0]) }
        controlled = 100 * sigmoid(fit.strengths[0])
        controlledInterval = Sample.percentile(rates, 2.5)...Sample.percentile(rates, 97.5)
        (lengthCoefficient, gradientNorm) = (fit.styles[0], fit.gradientNorm)
    }

    /// Everything as one object.
    public var json: JSON {
        func number(_ value: Double?) -> JSON { value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }
        return [
            "win_rate": number(raw.winRate),
            "standard_error": number(raw.standardError),
            "win_rate_lower": number(interval.lowerBound),
            "win_rate_upper": number(interval.upperBound),
            "n_wins": .integer(raw.wins),
            "n_wins_base": .integer(raw.baselineWins),
            "n_draws": .integer(raw.draws),
            "n_total": .integer(raw.total),
            "length_controlled_winrate": number(controlled),
            "length_controlled_lower": number(controlledInterval?.lowerBound),
            "length_controlled_upper": number(controlledInterval?.upperBound),
            "length_coefficient": number(lengthCoefficient),
        ]
    }
}
