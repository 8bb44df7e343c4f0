import JSONText
import Testing
import Torch

@testable import Models

@Suite("Layers as new tokens go through them")
struct DecodingLayerTests {
    /// What keeps the layers of a fixture from the form of five calls: biases of outputs, norms behind attention, norms of all queries,
    /// a factor on what is added to the stream.
    private static let plain: Set<String> = ["llama_biases", "gemma2", "gemma3", "granite", "olmo2"]

    /// A cache of three slots with random past.
    private func cache(_ model: LanguageModel, _ dtype: DType) -> KeyValueCache {
        let cache = KeyValueCache(model.configuration, slots: 3, capacity: 12, dtype: dtype, device: .cpu)
        for (index, tensor) in (cache.keys + cache.values).enumerated() {
            let past = Tensor.empty(tensor.shape)
            past.fillNormal(deviation: 1, Generator(seed: UInt64(index)))
            tensor.copy(from: past.to(dtype))
        }
        return cache
    }

    @Test(
        "new tokens go the same way through all layers, caches included",
        arguments: FamilyFixture.all,
        [DType.float32, .bfloat16]
    )
    func equality(fixture: FamilyFixture, dtype: DType) throws {
        let model = try fixture.model(.sampling(dtype), precision: dtype)
        let (tokens, lengths) = ([5, 9, 2], [11, 0, 6])
        let rows = CacheRows(slots: [2, 0, 1], lengths: lengths)
        let (fused, plain) = (cache(model, dtype), cache(model, dtype))
        withoutGradients {
            let found = model.decoder.newTokens(
                Tensor(tokens),
                positions: Tensor(lengths),
                dtype: dtype,
                cache: fused,
                rows: rows
            )
            let expected = model.decoder(Tensor(tokens), positions: Tensor(lengths), dtype: dtype) {
                let rule = model.configuration.attentionRule($0)
                return plain.attend(layer: $0, queries: $1, keys: $2, values: $3, rows: rows, rule: rule)
            }
            if dtype == .float32 {
                #expect(found.floats == expected.floats)
                for layer in fused.keys.indices {
                    #expect(fused.keys[layer].floats == plain.keys[layer].floats)
                    #expect(fused.values[layer].floats == plain.values[layer].floats)
                }
            } else {
                // Each sum of the stream is rounded once less, to 2⁻⁹ of a number; a few layers add up to less than this.
                let largest = expected.to(.float32).magnitude().max().scalar
                #expect(((found - expected).to(.float32).magnitude().max().scalar) <= 0x1p-5 * largest)
            }
        }
    }

    @Test("which families have the form", arguments: FamilyFixture.all)
    func forms(fixture: FamilyFixture) throws {
        let sampling = try fixture.model(.sampling())
        let hasForm = !Self.plain.contains(fixture.name)
        #expect(sampling.decoder.layers.allSatisfy { (DecodingLayer($0) != nil) == hasForm })
        // What is trained or scored holds its weights in rows.
        #expect(try fixture.model().decoder.layers.allSatisfy { DecodingLayer($0) == nil })
    }
}
