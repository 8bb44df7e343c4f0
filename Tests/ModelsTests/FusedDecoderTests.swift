import Testing
import Torch

@testable import Models

@Suite("The decoder's fused parts")
struct FusedDecoderTests {
    private func random(_ shape: [Int], seed: UInt64, dtype: DType) -> Tensor {
        let tensor = Tensor.empty(shape, .float32)
        tensor.fillNormal(deviation: 1, Generator(seed: seed))
        return tensor.to(dtype)
    }

    /// Half a unit in the last place of bfloat16 where a product was rounded once less, one unit in float32.
    private func agree(_ found: Tensor, _ plain: Tensor) -> Bool {
        let unit = found.dtype == .float32 ? 1e-6 : 8e-3
        return found.dtype == plain.dtype && excess(found, plain, absolute: unit, relative: unit) <= 0
    }

    @Test("each equals the plain form in its own type", arguments: [DType.float32, .bfloat16])
    func plainForms(dtype: DType) throws {
        let decoder = try TinyModel.make().decoder
        let configuration = decoder.configuration
        let input = random([23, configuration.hiddenSize], seed: 1, dtype: dtype)
        let update = random(input.shape, seed: 2, dtype: dtype)
        withoutGradients {
            #expect(agree(decoder.norm(input), decoder.norm.plain(input)))
            let (sum, normalized) = decoder.norm(input, adding: update)
            #expect(agree(sum, input + update) && agree(normalized, decoder.norm.plain(input + update)))
            #expect(agree(input.gating(update), decoder.layers[0].feedForward.plain(gate: input, up: update)))
            let table = RotaryTable(
                frequencies: Tensor(configuration.rotaries[0].inverseFrequencies),
                factor: configuration.rotaries[0].attentionFactor,
                positions: Tensor(Array(3..<26)),
                dtype: dtype
            )
            let heads = random([23, 3, configuration.headDimension], seed: 3, dtype: dtype)
            #expect(agree(table(heads), table.plain(heads)))
        }
    }
}
