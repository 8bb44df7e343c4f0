import Foundation
import Torch

/// How positions turn queries and keys (Su et al., arXiv 2104.09864), with the scalings checkpoints name.
public struct RotaryConfiguration: Sendable, Equatable {
    /// The frequencies, one for each pair of dimensions, in radians per position; float32 as the references compute them.
    public let inverseFrequencies: [Float]
    /// What cosines and sines are multiplied by.
    public let attentionFactor: Double

    /// What a family's layers choose from: one configuration, or that of full attention and that of windows.
    ///
    /// Reads `rope_parameters`, or `rope_theta` and `rope_scaling` of older files.
    static func all(
        _ fields: ConfigurationFields,
        _ traits: ModelFamily.Traits,
        headDimension: Int
    ) throws(ModelError) -> [RotaryConfiguration] {
        let parameters = try fields.nested("rope_parameters")
        let width = try Self.width(fields, parameters, traits, headDimension: headDimension)
        let theta = try fields.positive("rope_theta", default: 10_000)
        let older = try fields.nested("rope_scaling")
        guard traits.hasLocalRotary else {
            return [try RotaryConfiguration(fields, parameters ?? older, theta: theta, width: width)]
        }
        let global = try parameters?.nested(LayerConfiguration.full)
        let local = try parameters?.nested(LayerConfiguration.sliding)
        let localTheta = try fields.positive("rope_local_base_freq", default: 10_000)
        return [
            try RotaryConfiguration(fields, global ?? older, theta: theta, width: width),
            try RotaryConfiguration(fields, local, theta: localTheta, width: width),
        ]
    }

    /// How many dimensions of a head are turned.
    private static func width(
        _ fields: ConfigurationFields,
        _ parameters: ConfigurationFields?,
        _ traits: ModelFamily.Traits,
        headDimension: Int
    ) throws(ModelError) -> Int {
        guard traits.readsPartialRotary else { return headDimension }
        let outer = try fields.positive("partial_rotary_factor", default: 1)
        let share = try parameters?.positive("partial_rotary_factor", default: outer) ?? outer
        let width = Int(min(share, 2) * Double(headDimension))
        guard width > 0, width <= headDimension, width % 2 == 0 else {
            throw ModelError(
                fields.path,
                "partial_rotary_factor \(share) leaves \(width) of \(headDimension) dimensions of a head to turn"
            )
        }
        return width
    }

    private init(
        _ fields: ConfigurationFields,
        _ scaling: ConfigurationFields?,
        theta outerTheta: Double,
        width: Int
    ) throws(ModelError) {
        let theta = try scaling?.positive("rope_theta", default: outerTheta) ?? outerTheta
        let base = stride(from: 0, to: width, by: 2).map { index in
            1 / Float(pow(Float(theta), Float(index) / Float(width)))
        }
        let (newName, oldName) = (try scaling?.text("rope_type"), try scaling?.text("type"))
        let kind = newName ?? oldName ?? "default"
        var attentionFactor = 1.0
        switch (kind, scaling) {
        case ("default", _), (_, nil):
            inverseFrequencies = base
        case ("linear", let scaling?):
            let factor = Float(try scaling.positive("factor", default: nil))
            inverseFrequencies = base.map { $0 / factor }
        case ("llama3", let scaling?):
            inverseFrequencies = try Self.llama3(base, scaling)
        case ("yarn", let scaling?):
            (inverseFrequencies, attentionFactor) = try YarnScaling(scaling, model: fields).scaled(base, theta: theta)
        default:
            throw ModelError(
                fields.path,
                "rotary scaling \"\(kind)\" is not supported; supported are default, linear, llama3 and yarn"
            )
        }
        self.attentionFactor = attentionFactor
    }

    /// Llama 3's scaling: long wavelengths are divided by `factor`, short ones kept, those between interpolated.
    private static func llama3(_ base: [Float], _ scaling: ConfigurationFields) throws(ModelError) -> [Float] {
        let factor = Float(try scaling.positive("factor", default: nil))
        let low = Float(try scaling.positive("low_freq_factor", default: nil))
        let high = Float(try scaling.positive("high_freq_factor", default: nil))
        let original = Float(try scaling.size("original_max_position_embeddings"))
        guard high > low else { throw ModelError(scaling.path, "high_freq_factor must exceed low_freq_factor") }
        return base.map { frequency in
            let wavelength = 2 * Float.pi / frequency
            if wavelength < original / high { return frequency }
            if wavelength > original / low { return frequency / factor }
            let smooth = (original / wavelength - low) / (high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
    }
}

/// Cosines and sines of one batch's positions, shared by all layers.
struct RotaryTable {
    /// The cosines, `[tokens, 1, width]`, the width being that of the part of a head that is turned.
    let cosine: Tensor
    /// The sines, `[tokens, 1, width]`.
    let sine: Tensor

    /// The table of frequencies, times a factor, at the given positions `[tokens]`, computed in float32 and kept in `dtype`.
    init(frequencies: Tensor, factor: Double, positions: Tensor, dtype: DType) {
        let angles = positions.to(.float32).unsqueezed(1) * frequencies.unsqueezed(0)
        let both = Tensor.concatenated([angles, angles], along: 1).unsqueezed(1)
        cosine = (both.cosine() * factor).to(dtype)
        sine = (both.sine() * factor).to(dtype)
    }

    /// Turns `[tokens, heads, dimension]`, or the first dimensions as far as the table goes.
    func callAsFunction(_ heads: Tensor) -> Tensor {
        let (width, dimension) = (cosine.size(2), heads.size(2))
        guard width < dimension else { return turned(heads) }
        return Tensor.concatenated(
            [turned(heads.narrowed(2, 0..<width)), heads.narrowed(2, width..<dimension)],
            along: 2
        )
    }

    /// Turns `[tokens, heads, width]`, whose halves are the two coordinates of each pair.
    private func turned(_ heads: Tensor) -> Tensor {
        heads.hasFusedLayers ? heads.rotated(cosine: cosine, sine: sine) : plain(heads)
    }

    /// The same from elementwise operators: the oracle of the fused path, and the path of other types.
    func plain(_ heads: Tensor) -> Tensor {
        let half = heads.size(2) / 2
        let first = heads.narrowed(2, 0..<half)
        let second = heads.narrowed(2, half..<2 * half)
        return heads * cosine + Tensor.concatenated([-second, first], along: 2) * sine
    }
}
