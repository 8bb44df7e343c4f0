import Foundation
import JSONText
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Families against transformers, and every path of each against the others")
struct FamilyTests {
    @Test("every family is recorded")
    func completeness() throws {
        let recorded = Set(try FamilyFixture.all.map { try $0.configuration().family })
        #expect(recorded == Set(ModelFamily.allCases))
    }

    @Test("logits, loss and the gradient of every weight agree", arguments: FamilyFixture.all, [false, true])
    func agreement(fixture: FamilyFixture, checkpointing: Bool) throws {
        var model = try fixture.model(.trainable())
        model.checkpointsGradients = checkpointing
        let ids = fixture.ids
        let numbers = try #require(fixture.json["logits"]?.array).compactMap(\.number).map(Float.init)
        let expected = Tensor(numbers, shape: [ids.count, model.configuration.vocabularySize])
        let found = withoutGradients { model.logits(TokenBatch([ids])) }
        #expect(excess(found, expected, absolute: 5e-5, relative: 1e-4) <= 0)
        let rows = ResponseBatch([.init(prompt: [ids[0]], response: Array(ids.dropFirst()))])
        let loss = -model.logProbabilities(rows).mean()
        #expect(abs(loss.scalar - (try #require(fixture.json["loss"]?.number))) <= 1e-5)
        loss.backward()
        let norms = try #require(fixture.json["gradients"]?.object).members
        #expect(Set(norms.map(\.0)) == Set(model.parameters.names))
        for (name, norm) in norms {
            let index = try #require(model.parameters.names.firstIndex(of: name))
            let gradient = try #require(model.parameters.tensors[index].gradient)
            let length = gradient.squared().sum().scalar.squareRoot()
            let recorded = try #require(norm.number)
            #expect(abs(length - recorded) <= 1e-3 * recorded + 1e-5, "\(name): \(length), recorded \(recorded)")
        }
    }

    /// Prompts with several responses each, shorter and longer than the fixtures' window of five tokens.
    private static let rows: [ResponseBatch.Row] = [
        .init(prompt: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3], response: [5, 8, 9, 7, 9, 3, 2]),
        .init(prompt: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3], response: [8, 4]),
        .init(prompt: [7], response: [1, 8]), .init(prompt: [11, 12], response: [13, 14, 15, 16, 17, 18, 19, 20]),
    ]

    /// Log-probabilities of the rows and the gradient of their weighted sum, for each weight.
    private func outcome(_ model: LanguageModel, _ batches: [[ResponseBatch.Row]]) -> [Tensor] {
        let values = Tensor.concatenated(batches.map { model.logProbabilities(ResponseBatch($0)) })
        let weights = Tensor((0..<values.count).map { Float($0 % 5) - 1.5 }).to(values.dtype)
        (values * weights).sum().backward()
        return [values.detached()] + model.parameters.tensors.map { $0.gradient ?? $0.zerosLike() }
    }

    @Test("a shared prompt is computed once and counts as often as it is shared", arguments: FamilyFixture.all)
    func sharedPrompts(fixture: FamilyFixture) throws {
        let together = try outcome(fixture.model(.trainable()), [Self.rows])
        let alone = try outcome(fixture.model(.trainable()), Self.rows.map { [$0] })
        for (found, expected) in zip(together, alone) {
            #expect(excess(found, expected, absolute: 1e-4, relative: 1e-3) <= 0)
        }
    }

    @Test("the fused path equals the plain one in float64, gradients included", arguments: FamilyFixture.all)
    func plainPath(fixture: FamilyFixture) throws {
        let wide = ParameterStore.Preparation(dtype: .float64, isTrainable: true, device: .cpu)
        let expected = try outcome(fixture.model(wide, precision: .float64), [Self.rows])
        for (dtype, tolerance) in [(DType.float32, 2e-4), (.bfloat16, 0.3)] {
            let found = try outcome(fixture.model(.trainable(), precision: dtype), [Self.rows])
            for (found, expected) in zip(found, expected) {
                let size = expected.magnitude().max().scalar
                #expect(excess(found, expected, absolute: tolerance * (size + 0.01), relative: 0) <= 0)
            }
        }
    }

    @Test(
        "sampling with the cache reports what scoring finds, entropies included",
        arguments: FamilyFixture.all,
        [DType.float32, .bfloat16]
    )
    func sampling(fixture: FamilyFixture, precision: DType) throws {
        let model = try fixture.model(.frozen(precision), precision: precision)
        let prompts = [Self.rows[0].prompt, [7], [11, 12]]
        let parameters = SamplingParameters(maxNewTokens: 12, temperature: 0.8)
        let completions = try SequenceGenerator(model, parameters).generate(prompts, samplesPerPrompt: 2, seed: 5)
        let rows = completions.enumerated().map { index, completion in
            ResponseBatch.Row(prompt: prompts[index / 2], response: completion.tokens)
        }
        let (scored, entropies) = model.logProbabilitiesAndEntropies(ResponseBatch(rows), temperature: 0.8)
        let tolerance = precision == .float32 ? 1e-4 : 0.15
        let sampled = Tensor(completions.flatMap(\.logProbabilities))
        #expect(excess(sampled, scored, absolute: tolerance, relative: tolerance) <= 0)
        let reported = Tensor(completions.flatMap(\.entropies))
        #expect(excess(reported, entropies, absolute: tolerance, relative: tolerance) <= 0)
    }

    @Test("a model is saved under the names and with the settings it came with", arguments: FamilyFixture.all)
    func saving(fixture: FamilyFixture) throws {
        let model = try fixture.model()
        let directory = try TemporaryDirectory()
        try model.save(to: directory.url, dtype: .float32)
        let again = try LanguageModel.load(directory.url, .frozen())
        #expect(again.parameters.names == model.parameters.names)
        #expect(zip(again.parameters.tensors, model.parameters.tensors).allSatisfy { $0.floats == $1.floats })
        let file = try #require(FileManager.default.contents(atPath: directory.url.appending(path: "config.json").path))
        let saved = try #require(JSON(parsing: [UInt8](file)).object)
        for (key, value) in try #require(fixture.json["config"]?.object).members where key != "dtype" {
            #expect(saved[key] == value, "\(key)")
        }
    }

    @Test("a reward model begins as a language model and is read again", arguments: FamilyFixture.all)
    func rewardModels(fixture: FamilyFixture) throws {
        let (first, second) = (try TemporaryDirectory(), try TemporaryDirectory())
        try fixture.model().save(to: first.url, dtype: .float32)
        #expect(throws: ModelError.self) { try ScoreModel.load(first.url, .frozen()) }
        let fresh = try ScoreModel.load(first.url, .frozen(), freshHead: 3)
        try fresh.save(to: second.url, dtype: .float32)
        let read = try ScoreModel.load(second.url, .frozen())
        #expect(read.configuration.isRewardModel && read.configuration.family == fresh.configuration.family)
        let batch = ResponseBatch(Self.rows)
        #expect(withoutGradients { read.rewards(batch).floats == fresh.rewards(batch).floats })
        #expect(throws: ModelError.self) { try LanguageModel.load(second.url, .frozen()) }
    }

    @Test("an adapter has every linear layer under the checkpoint's name", arguments: FamilyFixture.all)
    func adapters(fixture: FamilyFixture) throws {
        let base = try TemporaryDirectory()
        try fixture.model().save(to: base.url, dtype: .float32)
        let settings = AdapterSettings(rank: 2, alpha: 4)
        let model = try TinyAdapter.trained(on: base.url, settings)
        let count = model.parameters.tensors.map(\.count).reduce(0, +)
        #expect(count == settings.parameterCount(model.configuration))
        let saved = try TinyAdapter.directory(model)
        let again = try LanguageModel.load(saved.url, .frozen())
        func logits(_ model: LanguageModel) -> [Float] {
            withoutGradients { model.logits(TokenBatch([fixture.ids])).floats }
        }
        #expect(logits(again) == logits(model))
        #expect(logits(model) != logits(try fixture.model()))
    }
}
