import Foundation
import Torch

/// How positions turn queries and keys (Su et al., arXiv 2104.09864), with the scalings Llama checkpoints name.
public struct RotaryConfiguration: Sendable, Equatable {
    /// The frequencies, one for each pair of dimensions, in radians per position; float32 as the references compute them.
    public let inverseFrequencies: [Float]

    /// Reads `rope_parameters`, or `rope_theta` and `rope_scaling` of older files.
    init(_ fields: ConfigurationFields, headDimension: Int) throws(ModelError) {
        let key = fields.object["rope_parameters"]?.object != nil ? "rope_parameters" : "rope_scaling"
        let nested = fields.object[key]?.object
        let scaling = nested.map { ConfigurationFields($0, path: fields.path + ": " + key) }
        var theta = try fields.positive("rope_theta", default: 10_000)
        if let scaling { theta = try scaling.positive("rope_theta", default: theta) }
        let base = stride(from: 0, to: headDimension, by: 2).map { index in
            1 / Float(pow(Float(theta), Float(index) / Float(headDimension)))
        }
        let kind = (nested?["rope_type"] ?? nested?["type"])?.string ?? "default"
        switch (kind, scaling) {
        case ("default", _), (_, nil):
            inverseFrequencies = base
        case ("linear", let scaling?):
            let factor = Float(try scaling.positive("factor", default: nil))
            inverseFrequencies = base.map { $0 / factor }
        case ("llama3", let scaling?):
            inverseFrequencies = try Self.llama3(base, scaling)
        default:
            throw ModelError(
                fields.path,
                "rotary scaling \"\(kind)\" is not supported; supported are default, linear and llama3"
            )
        }
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
    /// The cosines, `[tokens, 1, dimension]`.
    let cosine: Tensor
    /// The sines, `[tokens, 1, dimension]`.
    let sine: Tensor

    /// The table of the given positions `[tokens]`, computed in float32 and kept in `dtype`.
    init(_ configuration: RotaryConfiguration, positions: Tensor, dtype: DType) {
        let frequencies = Tensor(configuration.inverseFrequencies).to(positions.device)
        let angles = positions.to(.float32).unsqueezed(1) * frequencies.unsqueezed(0)
        let both = Tensor.concatenated([angles, angles], along: 1).unsqueezed(1)
        cosine = both.cosine().to(dtype)
        sine = both.sine().to(dtype)
    }

    /// Turns `[tokens, heads, dimension]`, whose halves are the two coordinates of each pair.
    func callAsFunction(_ heads: Tensor) -> Tensor {
        heads.hasFusedLayers ? heads.rotated(cosine: cosine, sine: sine) : plain(heads)
    }

    /// The same from elementwise operators: the oracle of the fused path, and the path of other devices.
    func plain(_ heads: Tensor) -> Tensor {
        let half = heads.size(2) / 2
        let first = heads.narrowed(2, 0..<half)
        let second = heads.narrowed(2, half..<2 * half)
        return heads * cosine + Tensor.concatenated([-second, first], along: 2) * sine
    }
}
