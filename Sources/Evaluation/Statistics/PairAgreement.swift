import Foundation
import JSONText

/// How well rewards agree with preferences on held-out pairs.
public struct PairAgreement: Sendable {
    /// Pairs.
    public let count: Int
    /// The share of pairs whose chosen response has the larger reward; equal rewards count half.
    public let accuracy: Double
    /// The standard error of the accuracy.
    public let accuracyError: Double
    /// The mean of r(chosen) − r(rejected).
    public let margin: Double
    /// The mean of −log σ(r(chosen) − r(rejected)).
    public let logLoss: Double
    /// The mean distance of confidence and accuracy, over bins weighted by their pairs.
    public let calibrationError: Double
    /// The bins of confidence.
    public let bins: [Bin]

    /// Pairs of like confidence, max(p, 1 − p) with p = σ(r(chosen) − r(rejected)).
    public struct Bin: Equatable, Sendable {
        /// From here.
        public let lower: Double
        /// To here.
        public let upper: Double
        /// How many pairs.
        public let count: Int
        /// Their mean confidence.
        public let confidence: Double
        /// How many of them are right, as a share.
        public let accuracy: Double
    }

    /// Compares rewards; `binCount` bins from ½ to 1.
    ///
    /// - Precondition: as many chosen as rejected, and at least one.
    public init(chosen: [Double], rejected: [Double], binCount: Int = 10) {
        precondition(chosen.count == rejected.count && !chosen.isEmpty, "rewards of pairs come in twos")
        let margins = zip(chosen, rejected).map { $0 - $1 }
        let right = margins.map { $0 > 0 ? 1 : $0 == 0 ? 0.5 : 0 }
        count = margins.count
        accuracy = Sample.mean(right)
        accuracyError = (accuracy * (1 - accuracy) / Double(margins.count)).squareRoot()
        margin = Sample.mean(margins)
        logLoss = Sample.mean(margins.map { softplus(-$0) })
        let confidences = margins.map { sigmoid(abs($0)) }
        bins = (0..<binCount).compactMap { number in
            let place = { (confidence: Double) in min(Int((confidence - 0.5) * 2 * Double(binCount)), binCount - 1) }
            let members = confidences.indices.filter { place(confidences[$0]) == number }
            guard !members.isEmpty else { return nil }
            return Bin(
                lower: 0.5 + Double(number) / Double(2 * binCount),
                upper: 0.5 + Double(number + 1) / Double(2 * binCount),
                count: members.count,
                confidence: Sample.mean(members.map { confidences[$0] }),
                accuracy: Sample.mean(members.map { right[$0] })
            )
        }
        calibrationError =
            bins.reduce(0) { $0 + Double($1.count) * abs($1.confidence - $1.accuracy) } / Double(margins.count)
    }

    /// Everything as one object.
    public var json: JSON {
        [
            "n_pairs": .integer(count),
            "accuracy": .number(accuracy),
            "accuracy_standard_error": .number(accuracyError),
            "margin": .number(margin),
            "log_loss": .number(logLoss),
            "calibration_error": .number(calibrationError),
            "calibration": .array(
                bins.map {
                    [
                        "lower": .number($0.lower), "upper": .number($0.upper), "n": .integer($0.count),
                        "confidence": .number($0.confidence), "accuracy": .number($0.accuracy),
                    ]
                }
            ),
        ]
    }
}

extension PairAgreement {
    /// Rewards of two answers as preferences: 1 + σ(r(chosen) − r(rejected)), rounded to ten decimals as annotations are.
    public static func preferences(chosen: [Double], rejected: [Double]) -> [Double] {
        zip(chosen, rejected).map { ((1 + sigmoid($0 - $1)) * 1e10).rounded() / 1e10 }
    }
}
