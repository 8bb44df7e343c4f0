import Foundation

/// YaRN (Peng et al., arXiv 2309.00071): frequencies that turn often within the trained length stay, those that turn rarely
/// are divided by a factor, those between are mixed; cosines and sines grow by 0.1 · ln(factor) + 1.
struct YarnScaling {
    private let factor: Double
    private let attentionFactor: Double
    private let fast: Double
    private let slow: Double
    private let trainedLength: Int
    private let roundsRange: Bool

    init(_ scaling: ConfigurationFields, model: ConfigurationFields) throws(ModelError) {
        let length = try model.has("max_position_embeddings") ? model.size("max_position_embeddings") : nil
        let key = "original_max_position_embeddings"
        let modelLength = try model.has(key) ? model.size(key) : length
        trainedLength = try scaling.size(key, default: modelLength)
        let trained = trainedLength
        let ratio = length.map { Double($0) / Double(trained) }
        let factor = try scaling.positive("factor", default: ratio)
        let (scale, allScale) = (
            try scaling.number("mscale", default: 0), try scaling.number("mscale_all_dim", default: 0)
        )
        self.factor = factor
        fast = try scaling.positive("beta_fast", default: 32)
        slow = try scaling.positive("beta_slow", default: 1)
        roundsRange = try scaling.flag("truncate", default: true)
        attentionFactor = try scaling.positive(
            "attention_factor",
            default: Self.growth(factor, by: scale, allScale)
        )
    }

    /// By how much cosines and sines grow: with two scales, the ratio of the two growths.
    private static func growth(_ factor: Double, by scale: Double, _ allScale: Double) -> Double {
        func growth(_ scale: Double) -> Double { factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1 }
        return scale != 0 && allScale != 0 ? growth(scale) / growth(allScale) : growth(1)
    }

    /// The scaled frequencies and the factor of cosines and sines.
    func scaled(_ base: [Float], theta: Double) -> (frequencies: [Float], attentionFactor: Double) {
        let width = Double(2 * base.count)
        // The index of the pair that turns so many times within the trained length.
        func index(turns: Double) -> Double {
            width * log(Double(trainedLength) / (turns * 2 * .pi)) / (2 * log(theta))
        }
        var (low, high) = (index(turns: fast), index(turns: slow))
        if roundsRange { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, width - 1))
        if low == high { high += 0.001 }
        let frequencies = base.enumerated().map { index, frequency in
            let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
            return frequency / Float(factor) * ramp + frequency * (1 - ramp)
        }
        return (frequencies, attentionFactor)
    }
}
