import Foundation
import JSONText
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Low-rank adapters")
struct AdapterTests {
    let base: TemporaryDirectory

    init() throws { base = try TinyModel.directory(TinyModel.make(seed: 3, ["attention_bias": true])) }

    private func plain(_ precision: DType = .float32) throws -> LanguageModel {
        try LanguageModel.load(base.url, .frozen(precision), precision: precision)
    }

    @Test("the scale is α/r, and α/√r where it is rank-stabilised")
    func scale() {
        #expect(AdapterSettings(rank: 4, alpha: 16).scale == 4)
        #expect(AdapterSettings(rank: 4, alpha: 16, isRankStabilized: true).scale == 8)
    }

    @Test("a target is a layer's path or the end of it behind a point")
    func targets() {
        let settings = AdapterSettings(rank: 1, alpha: 1, targets: ["q_proj", "layers.1.mlp.up_proj"])
        #expect(settings.adapts("model.layers.0.self_attn.q_proj") && settings.adapts("q_proj"))
        #expect(settings.adapts("model.layers.1.mlp.up_proj") && !settings.adapts("model.layers.0.mlp.up_proj"))
        #expect(!settings.adapts("model.layers.11.mlp.up_proj") && !settings.adapts("model.layers.0.my_q_proj"))
    }

    @Test("a new adapter changes nothing, to the bit", arguments: [DType.float32, .bfloat16])
    func fresh(precision: DType) throws {
        let model = try TinyAdapter.fresh(on: base.url, precision: precision)
        #expect(TinyAdapter.logits(model).bytes() == TinyAdapter.logits(try plain(precision)).bytes())
    }

    @Test("only the adapter's factors are trained; the base is frozen in the computing type")
    func trainedParameters() throws {
        let model = try TinyAdapter.fresh(on: base.url, precision: .bfloat16)
        #expect(model.parameters.names.count == 2 * 7 * 2)
        #expect(model.parameters.names.allSatisfy { $0.contains(".lora_A.") || $0.contains(".lora_B.") })
        #expect(model.parameters.tensors.allSatisfy { $0.requiresGradient && $0.dtype == .float32 })
        #expect(model.parameters.base.allSatisfy { !$0.tensor.requiresGradient && $0.tensor.dtype == .bfloat16 })
        #expect(model.parameters.base.map(\.name) == (try plain()).parameters.names)
        #expect(model.decoder.layers[0].attention.inputs.additions[0].adapter?.down.plainTensor?.shape == [3, 16])
    }

    @Test("A is uniform within 1/√inputs and depends on the seed, B is zero")
    func start() throws {
        let model = try TinyAdapter.fresh(on: base.url)
        let other = try TinyAdapter.fresh(on: base.url, seed: 8)
        for (name, pair) in zip(model.parameters.names, zip(model.parameters.tensors, other.parameters.tensors)) {
            let values = pair.0.detached().doubles
            if name.contains("lora_B") {
                #expect(values.allSatisfy { $0 == 0 })
            } else {
                let bound = 1 / Double(pair.0.size(1)).squareRoot()
                #expect(values.allSatisfy { abs($0) <= bound } && (values.map(abs).max() ?? 0) > bound / 2)
                #expect(pair.1.detached().doubles != values)
            }
        }
    }

    @Test("switched off, the adapter leaves the base, to the bit and without a copy")
    func withoutAdapter() throws {
        let model = try TinyAdapter.trained(on: base.url)
        let off = try model.withoutAdapter()
        #expect(TinyAdapter.logits(off).bytes() == TinyAdapter.logits(try plain()).bytes())
        #expect(TinyAdapter.logits(off).bytes() != TinyAdapter.logits(model).bytes())
        model.parameters.base[0].tensor.setZero()
        #expect(off.parameters.tensors[0].magnitude().max().scalar == 0)
    }

    @Test("frozen weights of one directory are held once, and heads are not shared")
    func sharing() throws {
        let shared = SharedWeights()
        let start = AdapterStart(TinyAdapter.settings)
        let policy = try LanguageModel.load(base.url, .trainable(), adapter: start, sharing: shared)
        let reference = try LanguageModel.load(base.url, .frozen(), sharing: shared)
        let critic = try ScoreModel.load(base.url, .trainable(), freshHead: 1, adapter: start, sharing: shared)
        let judge = try ScoreModel.load(base.url, .frozen(), freshHead: 1, sharing: shared)
        let whole = try LanguageModel.load(base.url, .trainable(), sharing: shared)
        policy.parameters.base[0].tensor.setZero()
        #expect(reference.parameters.tensors[0].magnitude().max().scalar == 0)
        #expect(critic.parameters.base[0].tensor.magnitude().max().scalar == 0)
        #expect(whole.parameters.tensors[0].magnitude().max().scalar > 0)
        withoutGradients { critic.head.setZero() }
        #expect(judge.head.magnitude().max().scalar > 0)
    }

    @Test("merged, the weights give what base and adapter give together")
    func merged() throws {
        let model = try TinyAdapter.trained(on: base.url)
        let merged = try model.merged()
        #expect(excess(TinyAdapter.logits(merged), TinyAdapter.logits(model), absolute: 1e-4, relative: 1e-4) <= 0)
        #expect(merged.parameters.names == (try plain()).parameters.names)
        #expect(merged.parameters.adapter == nil)
    }

    @Test("the sampler says of its tokens what scoring says, to the bit", arguments: [DType.float32, .bfloat16])
    func sampling(precision: DType) throws {
        let model = try TinyAdapter.trained(on: base.url, precision: precision)
        let hidden = withoutGradients {
            model.decoder.hidden(TokenBatch([[1, 5, 9]]), dtype: precision, checkpointing: false)
        }
        let view = try model.samplingView()
        let sampled = withoutGradients {
            view.decoder.hidden(TokenBatch([[1, 5, 9]]), dtype: precision, checkpointing: false)
        }
        #expect(hidden.bytes() == sampled.bytes())
        #expect(view.parameters.tensors.isEmpty)
        guard precision == .float32 else { return }
        let found = try SequenceGenerator(model, SamplingParameters(maxNewTokens: 12)).generate([[1, 5, 9]], seed: 4)[0]
        let scored = withoutGradients {
            model.logProbabilities(ResponseBatch([.init(prompt: [1, 5, 9], response: found.tokens)])).floats
        }
        #expect(zip(found.logProbabilities, scored).allSatisfy { abs($0 - $1) < 2e-6 * max(1, abs($1)) })
    }

    @Test("loss, logits and gradients are PEFT's", arguments: [false, true])
    func gradients(checkpointing: Bool) throws {
        for recorded in [RecordedAdapters.allLayers, RecordedAdapters.queriesAndValues] {
            let settings = AdapterSettings(
                rank: 3,
                alpha: 5,
                targets: recorded.targets,
                isRankStabilized: recorded.isRankStabilized
            )
            let directory = try TinyModel.directory(TinyModel.make()) { tensors in
                for (k, name) in tensors.keys.sorted().enumerated() {
                    tensors[name] = tensors[name].map { Self.wave($0.shape, 0.4, Double(k)) }
                }
            }
            var model = try TinyAdapter.fresh(on: directory.url, settings)
            model.checkpointsGradients = checkpointing
            let named = Dictionary(uniqueKeysWithValues: zip(model.parameters.names, model.parameters.tensors))
            for (k, name) in named.keys.sorted().enumerated() {
                withoutGradients { named[name].map { $0.copy(from: Self.wave($0.shape, 0.3, 100 + Double(k))) } ?? () }
            }
            let logits = withoutGradients { model.logits(TokenBatch([RecordedAdapters.tokens])) }
            let last = logits.selected(0, RecordedAdapters.tokens.count - 1).doubles
            #expect(zip(last, recorded.logits).allSatisfy { abs($0 - $1) <= 1e-5 + 1e-5 * abs($1) })
            let loss = -model.logProbabilities(TinyAdapter.batch()).mean()
            #expect(abs(loss.scalar - recorded.loss) < 1e-5)
            loss.backward()
            let lines = recorded.gradients.split(separator: "\n")
            #expect(lines.count == named.count)
            for line in lines {
                let words = line.split(separator: " ")
                let gradient = try #require(named["model.layers.\(words[0]).weight"]?.gradient)
                let numbers = words.dropFirst().compactMap { Double($0) }
                let flat = gradient.reshaped([-1]).doubles
                let places = [0, flat.count / 3, 2 * flat.count / 3, flat.count - 1]
                let found = [gradient.squared().sum().scalar.squareRoot()] + places.map { flat[$0] }
                #expect(numbers.count == found.count)
                #expect(zip(found, numbers).allSatisfy { abs($0 - $1) <= 1e-3 * abs($1) + 1e-5 }, "\(words[0])")
            }
        }
    }

    private static func wave(_ shape: [Int], _ height: Double, _ phase: Double) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { Float(height * sin(1.7 * Double($0) + phase)) }
        return Tensor(values, shape: shape)
    }
}

extension LinearWeight {
    var plainTensor: Tensor? { if case .plain(let tensor) = self { tensor } else { nil } }
}

@Suite("Dropout of an adapter's inputs")
struct AdapterDropoutTests {
    private let settings = AdapterSettings(rank: 3, alpha: 5, dropout: 0.4)
    private let base: TemporaryDirectory

    init() throws { base = try TinyModel.directory(TinyModel.make()) }

    private func gradients(_ model: LanguageModel) throws -> [[UInt8]] {
        model.logProbabilities(TinyAdapter.batch()).sum().backward()
        return try model.parameters.tensors.map { tensor in
            defer { tensor.gradient = nil }
            return try #require(tensor.gradient).bytes()
        }
    }

    @Test("elements are zero or divided by what is kept")
    func mask() {
        let masks = AdapterDropout(probability: 0.25, seed: 3)
        masks.begin(step: 0)
        masks.pass = masks.nextPass()
        let values = masks.drop(Tensor.full([200, 50], 3), layer: 0).doubles
        #expect(Set(values) == [0, 4])
        #expect(abs(Double(values.count { $0 == 0 }) / 10_000 - 0.25) < 0.02)
        let again = masks.drop(Tensor.full([200, 50], 3), layer: 0).doubles
        #expect(again == values && masks.drop(Tensor.full([200, 50], 3), layer: 1).doubles != values)
    }

    @Test("passes and steps draw other masks, a repeated step the same; scoring draws none")
    func streams() throws {
        let model = try TinyAdapter.trained(on: base.url, settings)
        let masks = try #require(model.parameters.adapter?.dropout)
        let first = try gradients(model)
        let second = try gradients(model)
        masks.begin(step: 1)
        let other = try gradients(model)
        masks.begin(step: 0)
        #expect(try gradients(model) == first)
        #expect(first != second && first != other && second != other)
        let quiet = try TinyAdapter.trained(on: base.url)
        #expect(TinyAdapter.logits(model).bytes() == TinyAdapter.logits(quiet).bytes())
    }

    @Test("a pass computed again for its gradient draws the masks of the first time")
    func checkpointing() throws {
        let plain = try TinyAdapter.trained(on: base.url, settings)
        var model = try TinyAdapter.trained(on: base.url, settings)
        model.checkpointsGradients = true
        let expected = [try gradients(plain), try gradients(plain)]
        let loss = model.logProbabilities(TinyAdapter.batch()).sum()
        // Another pass comes between forward and backward.
        _ = TinyAdapter.logits(model)
        loss.backward()
        #expect(model.parameters.tensors.map { $0.gradient?.bytes() } == expected[0])
    }
}
