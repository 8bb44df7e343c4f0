import Foundation

/// What Arena-Hard says of models: win rates against the baseline in percent, with intervals of 100 bootstraps.
public struct ArenaHardScore: Sendable {
    /// A win rate with its interval.
    public struct Interval: Equatable, Sendable {
        /// The score as the original prints it, before rounding.
        public var score: Double
        /// The lower end.
        public var lower: Double
        /// The upper end.
        public var upper: Double
        /// The score of all rows, without a bootstrap.
        public var exact: Double
    }

    /// The models, the baseline not among them, in alphabetical order.
    public let models: [String]
    /// The raw score of each model.
    public let raw: [Interval]
    /// The score that each model would have with the fit's average difference in style; nil without style data.
    public let styled: [Interval]?
    /// The coefficients of tokens, headings, lists and bold text, those that were asked for.
    public let styleCoefficients: [Double]
    /// How far the style-controlled fit is from optimal.
    public let gradientNorm: Double?

    /// Which differences in style are controlled for.
    public enum Features: String, Sendable {
        /// Tokens and markdown.
        case all
        /// Tokens.
        case length
        /// Headings, lists and bold text.
        case markdown

        var columns: [Int] {
            switch self {
            case .all: [0, 1, 2, 3]
            case .length: [0]
            case .markdown: [1, 2, 3]
            }
        }
    }

    /// Scores battles, with style control where the answers' style is known.
    ///
    /// - Throws: ``EvaluationError`` where an answer's style is missing.
    public init(
        _ battles: Battles,
        style: StyleTable?,
        features: Features = .all,
        seed: UInt32 = 42,
        bootstraps: Int = 100
    ) throws(EvaluationError) {
        models = battles.models
        let index = Dictionary(uniqueKeysWithValues: models.enumerated().map { ($1, $0) })
        let rows = battles.rows.map { index[$0.model] ?? 0 }
        var random = MersenneTwister(seed: seed)
        switch battles.version {
        case .v01: raw = Self.ratings(battles, rows, models.count, &random, bootstraps)
        case .v20: raw = Self.means(battles, rows, models.count, &random, bootstraps)
        }
        guard let style else {
            (styled, styleCoefficients, gradientNorm) = (nil, [], nil)
            return
        }
        let all = try Self.styleFeatures(battles, style)
        let columns = features.columns
        var regression = PairwiseRegression(
            model: rows,
            labels: battles.rows.map(\.outcome),
            features: battles.rows.indices.flatMap { row in columns.map { all[row][$0] } },
            models: models.count,
            styles: columns.count
        )
        // v0.1 is scikit-learn's regression with its default penalty, on rows that all stand in it twice.
        let rowWeight = battles.version == .v01 ? 2.0 : 1.0
        if battles.version == .v01 { (regression.scale, regression.ridge) = (log(10), 1) }
        let fit = regression.fit(weights: [Double](repeating: rowWeight, count: rows.count))
        (styleCoefficients, gradientNorm) = (fit.styles, fit.gradientNorm)
        var bootstrapRandom = MersenneTwister(seed: seed)
        let draws = (0..<bootstraps).map { _ in Self.counts(rows.count, &bootstrapRandom).map { $0 * rowWeight } }
        let fits = parallelMap(bootstraps) { [regression] in regression.fit(weights: draws[$0]).strengths }
        styled = models.indices.map { m in
            Self.interval(exact: 100 * sigmoid(fit.strengths[m]), strengths: fits.map { $0[m] }, battles.version)
        }
    }

    /// The interval of a model's bootstrapped strengths.
    ///
    /// v0.1: the 2.5th and 97.5th percentile of the ratings, which are linear in the strengths, about the fit of all rows.
    /// v2.0: the 5th and 95th percentile of the win rates about their median.
    private static func interval(exact: Double, strengths: [Double], _ version: ArenaHardVersion) -> Interval {
        switch version {
        case .v01:
            return Interval(
                score: exact,
                lower: 100 * sigmoid(Sample.percentile(strengths, 2.5)),
                upper: 100 * sigmoid(Sample.percentile(strengths, 97.5)),
                exact: exact
            )
        case .v20:
            let rates = strengths.map { 100 * sigmoid($0) }
            return Interval(
                score: Sample.percentile(rates, 50),
                lower: Sample.percentile(rates, 5),
                upper: Sample.percentile(rates, 95),
                exact: exact
            )
        }
    }

    /// How often each of `count` rows is drawn in `count` draws with replacement.
    private static func counts(_ count: Int, _ random: inout MersenneTwister) -> [Double] {
        var counts = [Double](repeating: 0, count: count)
        for _ in 0..<count { counts[random.index(below: count)] += 1 }
        return counts
    }

    /// The Bradley–Terry ratings of version 0.1.
    ///
    /// With one baseline their maximum likelihood is the mean outcome of each model; the interval is
    /// from the 2.5th to the 97.5th percentile of the ratings of bootstraps over the battles of all models together.
    private static func ratings(
        _ battles: Battles,
        _ rows: [Int],
        _ models: Int,
        _ random: inout MersenneTwister,
        _ bootstraps: Int
    ) -> [Interval] {
        let outcomes = battles.rows.map(\.outcome)
        func rates(_ counts: [Double]) -> [Double] {
            var (sums, totals) = ([Double](repeating: 0, count: models), [Double](repeating: 0, count: models))
            for (row, count) in counts.enumerated() {
                sums[rows[row]] += count * outcomes[row]
                totals[rows[row]] += count
            }
            return zip(sums, totals).map { $1 == 0 ? 0.5 : $0 / $1 }
        }
        // A model that always or never wins would have an infinite rating.
        func logit(_ rate: Double) -> Double { log(max(rate, 1e-9)) - log(max(1 - rate, 1e-9)) }
        let exact = rates([Double](repeating: 1, count: rows.count))
        let samples = (0..<bootstraps).map { _ in rates(counts(rows.count, &random)).map(logit) }
        return (0..<models).map { m in
            let ratings = samples.map { $0[m] }
            return Interval(
                score: 100 * exact[m],
                lower: 100 * sigmoid(Sample.percentile(ratings, 2.5)),
                upper: 100 * sigmoid(Sample.percentile(ratings, 97.5)),
                exact: 100 * exact[m]
            )
        }
    }

    /// v2.0: the mean of bootstrapped means of each model's outcomes, and their 5th and 95th percentile.
    private static func means(
        _ battles: Battles,
        _ rows: [Int],
        _ models: Int,
        _ random: inout MersenneTwister,
        _ bootstraps: Int
    ) -> [Interval] {
        (0..<models).map { m in
            let outcomes = battles.rows.indices.filter { rows[$0] == m }.map { 100 * battles.rows[$0].outcome }
            let means = (0..<bootstraps).map { _ in
                let sum = outcomes.indices.reduce(0) { sum, _ in sum + outcomes[random.index(below: outcomes.count)] }
                return sum / Double(outcomes.count)
            }
            return Interval(
                score: Sample.mean(means),
                lower: Sample.percentile(means, 5),
                upper: Sample.percentile(means, 95),
                exact: Sample.mean(outcomes)
            )
        }
    }

    /// The standardised differences in style of each battle, model less baseline.
    ///
    /// v0.1: (m − b)/(m + b + 1) of all four counts, over their population deviation. v2.0: (m − b)/(m + b) of the tokens and
    /// (q − r)/(q + r + 1) of markdown per token, q = count/(tokens + 1), over their sample deviation.
    private static func styleFeatures(_ battles: Battles, _ style: StyleTable) throws(EvaluationError) -> [SIMD4<
        Double
    >] {
        var features: [SIMD4<Double>] = []
        for battle in battles.rows {
            var model = try style.counts(battle.model, battle.question).sums
            var baseline = try style.counts(battles.baseline, battle.question).sums
            switch battles.version {
            case .v01: features.append((model - baseline) / (model + baseline + 1))
            case .v20:
                let tokens = model.x + baseline.x == 0 ? 0 : (model.x - baseline.x) / (model.x + baseline.x)
                model /= model.x + 1
                baseline /= baseline.x + 1
                var feature = (model - baseline) / (model + baseline + 1)
                feature.x = tokens
                features.append(feature)
            }
        }
        for column in 0..<4 {
            let values = features.map { $0[column] }
            let mean = Sample.mean(values)
            let deviation = Sample.deviation(values, freedom: battles.version == .v01 ? 0 : 1)
            // What never differs explains nothing.
            for row in features.indices { features[row][column] = deviation > 0 ? (values[row] - mean) / deviation : 0 }
        }
        return features
    }
}
