import JSONText
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Layers as new tokens go through them")
struct DecodingLayerTests {
    /// What keeps the layers of a fixture from the form of five calls: biases of outputs, norms behind attention, norms of all queries,
    /// a factor on what is added to the stream.
    private static let plain: Set<String> = ["llama_biases", "gemma2", "gemma3", "granite", "olmo2"]

    /// Hidden states of three new tokens behind a random past, and the caches behind them.
    private struct Outcome {
        let hidden: Tensor
        let cache: KeyValueCache

        /// - Parameter isPlain: whether all layers are computed as the oracle has it
        init(_ model: LanguageModel, isPlain: Bool) {
            let dtype = model.precision
            let cache = KeyValueCache(model.configuration, slots: 3, capacity: 12, dtype: dtype, device: .cpu)
            for (index, tensor) in (cache.keys + cache.values).enumerated() {
                let past = Tensor.empty(tensor.shape)
                past.fillNormal(deviation: 1, Generator(seed: UInt64(index)))
                tensor.copy(from: past.to(dtype))
            }
            let (tokens, lengths) = (Tensor([5, 9, 2]), [11, 0, 6])
            let (positions, rows) = (Tensor(lengths), CacheRows(slots: [2, 0, 1], lengths: lengths))
            hidden = withoutGradients {
                guard isPlain else {
                    return model.decoder.newTokens(tokens, positions: positions, dtype: dtype, cache: cache, rows: rows)
                }
                return model.decoder(tokens, positions: positions, dtype: dtype) {
                    let rule = model.configuration.attentionRule($0)
                    return cache.attend(layer: $0, queries: $1, keys: $2, values: $3, rows: rows, rule: rule)
                }
            }
            self.cache = cache
        }
    }

    private func expectEqual(_ model: LanguageModel) {
        let (found, expected) = (Outcome(model, isPlain: false), Outcome(model, isPlain: true))
        if model.precision == .float32 {
            #expect(found.hidden.floats == expected.hidden.floats)
        } else {
            // Each sum of the stream is rounded once less, to 2⁻⁹ of a number; a few layers add up to less than this.
            let largest = expected.hidden.to(.float32).magnitude().max().scalar
            #expect((found.hidden - expected.hidden).to(.float32).magnitude().max().scalar <= 0x1p-5 * largest)
        }
        for layer in found.cache.keys.indices where layer == 0 || model.precision == .float32 {
            #expect(found.cache.keys[layer].floats == expected.cache.keys[layer].floats)
            #expect(found.cache.values[layer].floats == expected.cache.values[layer].floats)
        }
    }

    private func forms(_ model: LanguageModel) -> [Bool] { model.decoder.layers.map { DecodingLayer($0) != nil } }

    @Test("every family's new tokens go the plain way's way, caches included", arguments: FamilyFixture.all)
    func families(fixture: FamilyFixture) throws {
        for dtype in [DType.float32, .bfloat16] {
            let model = try fixture.model(.sampling(dtype), precision: dtype)
            #expect(forms(model).allSatisfy { $0 == !Self.plain.contains(fixture.name) })
            expectEqual(model)
        }
        // What is trained or scored holds its weights in rows.
        #expect(forms(try fixture.model()).allSatisfy { !$0 })
    }

    /// Layers that are adapted, and how many of the two decoder layers keep the form.
    static let adapted = [
        (["q_proj"], 0), (["v_proj"], 0), (["o_proj"], 0), (["gate_proj"], 0), (["up_proj"], 0), (["down_proj"], 0),
        (["layers.1.self_attn.k_proj"], 1), (["layers.0.mlp.up_proj", "layers.1.mlp.up_proj"], 0),
    ]

    @Test("a layer with an adapter anywhere is computed plainly", arguments: adapted, [DType.float32, .bfloat16])
    func adapters(adapted: (targets: [String], count: Int), precision: DType) throws {
        let base = try TinyModel.directory(TinyModel.make(seed: 3))
        let settings = AdapterSettings(rank: 3, alpha: 5, targets: adapted.targets)
        let model = try TinyAdapter.trained(on: base.url, settings, precision: precision).samplingView()
        #expect(forms(model).count { $0 } == adapted.count)
        expectEqual(model)
        // The adapter is seen.
        let bare = try LanguageModel.load(base.url, .sampling(precision), precision: precision)
        #expect(Outcome(bare, isPlain: false).hidden.floats != Outcome(model, isPlain: false).hidden.floats)
    }

    @Test(
        "one matrix for several layers, one of them with an adapter",
        arguments: ["qkv_proj", "gate_up_proj", "o_proj"]
    )
    func fused(target: String) throws {
        let phi3 = try #require(FamilyFixture.all.first { $0.name == "phi3" })
        let base = try TinyModel.directory(phi3.model())
        let settings = AdapterSettings(rank: 3, alpha: 5, targets: [target])
        let model = try TinyAdapter.trained(on: base.url, settings).samplingView()
        #expect(forms(model).allSatisfy { !$0 })
        expectEqual(model)
    }

    @Test("biases of feed-forward layers alone, and a product deeper than a part")
    func others() throws {
        let biased = try TinyModel.directory(TinyModel.make(seed: 3, ["mlp_bias": true]))
        let model = try LanguageModel.load(biased.url, .sampling())
        #expect(forms(model) == [false, false])
        expectEqual(model)
        let deep = try TinyModel.directory(TinyModel.make(seed: 3, ["intermediate_size": 1_300]))
        let wide = try LanguageModel.load(deep.url, .sampling())
        #expect(forms(wide) == [true, true])
        let (found, expected) = (Outcome(wide, isPlain: false).hidden, Outcome(wide, isPlain: true).hidden)
        #expect(excess(found, expected, absolute: 1e-5, relative: 1e-5) <= 0 && found.floats != expected.floats)
    }

    @Test("new tokens are sampled without dropout, whatever was computed before")
    func dropout() throws {
        let base = try TinyModel.directory(TinyModel.make(seed: 3))
        let settings = AdapterSettings(rank: 3, alpha: 5, dropout: 0.5)
        let model = try TinyAdapter.trained(on: base.url, settings)
        let before = Outcome(model, isPlain: false).hidden.floats
        model.logProbabilities(TinyAdapter.batch()).sum().backward()
        #expect(Outcome(model, isPlain: false).hidden.floats == before)
    }
}
