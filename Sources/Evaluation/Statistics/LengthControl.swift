import Foundation

/// The win rate that a model would have if its answers were as long as the baseline's: AlpacaEval's `length_controlled_v1`.
///
/// A logistic regression of the preference on the difference in length, the instruction's difficulty and the model itself; the
/// win rate is predicted with the length term left out. The answers of two models that game the length, verbose and concise,
/// are fitted along with a small weight, so that the length term cannot hide the model.
public struct LengthControl: Sendable {
    /// The strength C at which it was fitted.
    public let regularization: Double
    /// φ of the length, γ of the difficulty, θ of the model.
    public let coefficients: SIMD3<Double>
    /// How far the coefficients are from optimal.
    public let gradientNorm: Double
    /// The predicted preference of each row, from 0 to 1; rows whose preference is missing included.
    public let predictions: [Double]

    /// 100 · mean of the predictions.
    public var winRate: Double { 100 * Sample.mean(predictions) }
    /// 100 · sd/√n of the predictions: the spread of the difficulty; the fit's own uncertainty is not in it.
    public var standardError: Double { 100 * Sample.standardError(predictions) }

    /// The strengths that the original chooses from: 10^(−4 + 8k/9).
    public static let strengths = (0..<10).map { pow(10, -4 + 8 * Double($0) / 9) }

    /// What the regression is fitted to.
    public struct Rows: Sendable {
        /// Preferences less 1, from 0 to 1; nil where missing.
        public let labels: [Double?]
        /// tanh of the baseline's length less the model's, over its standard deviation.
        public let lengths: [Double]
        /// The difficulty at each row's number.
        public let difficulties: [Double]

        /// The rows of an annotation file.
        ///
        /// - Parameters:
        ///   - preferences: from 1 to 2, 0 for a draw, nil where missing.
        ///   - baselineLengths: Unicode scalars of the baseline's answers.
        ///   - modelLengths: Unicode scalars of the model's answers.
        ///   - difficulty: difficulties by row number. A file that lacks a row shifts every row after it to its neighbour's
        ///     difficulty; the published numbers include that shift.
        /// - Throws: ``EvaluationError`` where there are more rows than difficulties, or no answer differs in length.
        public init(
            preferences: [Double?],
            baselineLengths: [Int],
            modelLengths: [Int],
            difficulty: [Double]
        ) throws(EvaluationError) {
            guard preferences.count <= difficulty.count else {
                throw EvaluationError(
                    "there are \(preferences.count) annotations and difficulties of only \(difficulty.count) instructions"
                )
            }
            let differences = zip(baselineLengths, modelLengths).map { Double($0 - $1) }
            let deviation = Sample.deviation(differences)
            guard deviation > 0 else {
                throw EvaluationError(
                    "the answers' lengths differ by the same amount in each row: nothing to control for"
                )
            }
            labels = preferences.map { $0.map { ($0 == 0 ? 1.5 : $0) - 1 } }
            lengths = differences.map { tanh($0 / deviation) }
            difficulties = Array(difficulty.prefix(preferences.count))
        }
    }

    /// Fits at a given strength, or at the one that cross-validation chooses.
    ///
    /// - Parameters:
    ///   - rows: the model's annotations.
    ///   - gamed: those of the two models that game the length.
    ///   - regularization: C; nil chooses it.
    ///   - folds: of the gamed rows, then the model's rows that have a preference; nil is ``FoldTable/classicNumPy(groups:folds:)``.
    /// - Throws: ``EvaluationError`` where the table's size is another, or there is nothing to fit.
    public init(
        _ rows: Rows,
        gamed: GamedRows,
        regularization: Double? = nil,
        folds: FoldTable? = nil
    ) throws(EvaluationError) {
        let problem = Self.problem(rows, gamed)
        if let regularization {
            self.regularization = regularization
        } else {
            let table = folds ?? .classicNumPy(groups: problem.labels.count)
            self.regularization = try Self.chosenStrength(problem, table)
        }
        let fit = problem.fit(strength: self.regularization)
        (coefficients, gradientNorm) = (fit.coefficients, fit.gradientNorm)
        predictions = rows.difficulties.map { sigmoid(fit.coefficients.y * $0 + fit.coefficients.z) }
    }

    private static func problem(_ rows: Rows, _ gamed: GamedRows) -> SparseLogisticRegression {
        var problem = SparseLogisticRegression(
            features: gamed.features,
            labels: gamed.labels,
            weights: [Double](repeating: GamedRows.weight, count: gamed.labels.count)
        )
        for (row, label) in rows.labels.enumerated() {
            guard let label else { continue }
            problem.features.append(SIMD3(rows.lengths[row], rows.difficulties[row], 1))
            problem.labels.append(label)
            problem.weights.append(1)
        }
        return problem
    }

    /// The strength whose fits predict the rows held out best: the sum over folds of −mean(s · cross-entropy).
    ///
    /// The mean divides by the number of rows, not by their weights; the smallest strength wins a tie.
    private static func chosenStrength(
        _ problem: SparseLogisticRegression,
        _ table: FoldTable
    ) throws(EvaluationError) -> Double {
        guard table.folds.count == problem.labels.count else {
            throw EvaluationError(
                "the fold table has \(table.folds.count) rows; the fit has \(problem.labels.count), those of the gamed "
                    + "models and then the model's own without missing preferences"
            )
        }
        let folds = (table.folds.max() ?? 0) + 1
        let parts = (0..<folds).map { fold in
            (problem.rows { table.folds[$0] != fold }, problem.rows { table.folds[$0] == fold })
        }
        guard parts.allSatisfy({ !$0.labels.isEmpty && !$1.labels.isEmpty }) else {
            throw EvaluationError("the fold table leaves a fold, or all rows but one fold, without rows")
        }
        let scores = parallelMap(folds * strengths.count) { number in
            let (kept, heldOut) = parts[number / strengths.count]
            return -heldOut.meanCrossEntropy(kept.fit(strength: strengths[number % strengths.count]).coefficients)
        }
        let sums = strengths.indices.map { index in
            stride(from: index, to: scores.count, by: strengths.count).reduce(0) { $0 + scores[$1] }
        }
        let best = sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
        return strengths[best]
    }
}

extension SparseLogisticRegression {
    fileprivate func rows(where isIncluded: (Int) -> Bool) -> SparseLogisticRegression {
        let kept = labels.indices.filter(isIncluded)
        return SparseLogisticRegression(
            features: kept.map { features[$0] },
            labels: kept.map { labels[$0] },
            weights: kept.map { weights[$0] }
        )
    }

    /// Σ s · cross-entropy / n, with probabilities kept 1e-15 away from 0 and 1.
    fileprivate func meanCrossEntropy(_ w: SIMD3<Double>) -> Double {
        let sum = labels.indices.reduce(0.0) { sum, row in
            let p = min(max(sigmoid((w * features[row]).sum()), 1e-15), 1 - 1e-15)
            return sum - weights[row] * (labels[row] * log(p) + (1 - labels[row]) * log(1 - p))
        }
        return sum / Double(labels.count)
    }
}

/// The annotations of two models that were told to game the length, verbose and concise, against the baseline.
public struct GamedRows: Sendable {
    /// Their weight beside the model's rows: λ = 0.2, halved as there are two of them.
    static let weight = 0.2 / 2
    let features: [SIMD3<Double>]
    let labels: [Double]
    /// Rows of preferences less 1, standardised length differences (before tanh) and difficulties; the last column, whether the
    /// model is the one evaluated, is 0 for all of them.
    public init(labels: [Double], lengths: [Double], difficulties: [Double]) {
        self.labels = labels
        features = zip(lengths, difficulties).map { SIMD3(tanh($0), $1, 0) }
    }
}
