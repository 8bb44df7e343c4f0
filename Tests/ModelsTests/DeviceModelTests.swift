import Foundation
import JSONText
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Models

/// An NVIDIA device, where there is one.
private let device: Device? = ((try? LibTorch.openCUDA()) ?? 0) > 0 ? .cuda(0) : nil

@Suite("Models on a CUDA device", .serialized, .enabled(if: device != nil, "there is no CUDA device"))
struct DeviceModelTests {
    private func golden(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(url: SharedFixtures.model(name).appending(path: "golden.safetensors"))
    }

    @Test(
        "recorded logits, gradients and greedy continuations",
        .enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"),
        arguments: RecordedModelTests.families
    )
    func recorded(name: String) throws {
        let device = try #require(device)
        let file = try golden(name)
        let model = try LanguageModel.load(SharedFixtures.model(name), .frozen(on: device))
        for text in ["prompt0", "prompt1", "long"] {
            let ids = try #require(file.tensor("\(text).input_ids")).integers
            let expected = try #require(file.tensor("\(text).logits")).selected(0, 0)
            let found = withoutGradients { model.logits(TokenBatch([ids])) }.to(.cpu)
            #expect(excess(found, expected, absolute: 2e-4, relative: 1e-4) <= 0)
        }
        let prompt = try #require(file.tensor("prompt0.input_ids")).integers
        let expected = try #require(file.tensor("greedy.output_ids")).integers
        let parameters = SamplingParameters(maxNewTokens: expected.count - prompt.count, isGreedy: true)
        let sampled = try SequenceGenerator(model, parameters).generate([prompt, [1], prompt], seed: 0)
        #expect(prompt + sampled[0].tokens == expected)
        #expect(sampled[2].tokens == sampled[0].tokens)
        guard let data = try? Data(contentsOf: SharedFixtures.model(name).appending(path: "golden.json")),
            let json = try? JSON(parsing: [UInt8](data)), let loss = json["ce_loss_long"]?.number,
            let gradients = json["ce_grad"]?.object
        else { return }
        let ids = try #require(file.tensor("long.input_ids")).integers
        for checkpointing in [false, true] {
            var model = try LanguageModel.load(SharedFixtures.model(name), .trainable(on: device))
            model.checkpointsGradients = checkpointing
            let rows = ResponseBatch([.init(prompt: [ids[0]], response: Array(ids.dropFirst()))])
            let found = -model.logProbabilities(rows).mean()
            #expect(abs(found.scalar - loss) <= 1e-4)
            found.backward()
            for (parameter, recorded) in gradients.members {
                let index = try #require(model.parameters.names.firstIndex(of: parameter))
                let gradient = try #require(model.parameters.tensors[index].gradient)
                let norm = try #require(recorded["l2"]?.number)
                #expect(abs(gradient.squared().sum().scalar.squareRoot() - norm) <= 1e-3 * norm + 1e-5)
            }
        }
    }

    @Test("a session says of its tokens what scoring says", arguments: [DType.float32, .bfloat16])
    func session(dtype: DType) throws {
        let device = try #require(device)
        let configuration = try TinyModel.configuration([
            "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 97,
        ])
        let model = try LanguageModel.fresh(configuration, seed: 3, .frozen(dtype, on: device), precision: dtype)
        let prompts = (0..<13).map { index in (0..<1 + index % 5).map { ($0 * 7 + index) % 97 } }
        let parameters = SamplingParameters(maxNewTokens: 40, stopTokens: [5])
        // Few slots, so that rows leave and join while steps are replayed.
        let completions = try SequenceGenerator(model, parameters, concurrency: 6).generate(prompts, seed: 9)
        let rows = ResponseBatch(zip(prompts, completions).map { .init(prompt: $0, response: $1.tokens) })
        let scored = withoutGradients { model.logProbabilities(rows) }.floats
        let sampled = completions.flatMap(\.logProbabilities)
        #expect(sampled.count == scored.count && sampled.count > 200)
        let mean = zip(sampled, scored).map { abs(Double($0 - $1)) }.reduce(0, +) / Double(sampled.count)
        #expect(mean < (dtype == .float32 ? 1e-5 : 3e-2))
        #expect(Set(completions.map(\.tokens)).count > 8)
    }

    @Test("a step of training in bfloat16 follows the processor's")
    func training() throws {
        let configuration = try TinyModel.configuration([
            "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
        ])
        let prompt = Array(1..<9)
        let rows = ResponseBatch([
            .init(prompt: prompt, response: [3, 4, 5, 6]), .init(prompt: prompt, response: [9, 8, 7]),
            .init(prompt: [2, 2], response: [1, 2, 3]),
        ])
        func gradients(_ device: Device, _ precision: DType = .bfloat16) throws -> [Tensor] {
            let model = try LanguageModel.fresh(configuration, seed: 3, .trainable(on: device), precision: precision)
            (-model.logProbabilities(rows).mean()).backward()
            return model.parameters.tensors.map { ($0.gradient ?? $0.zerosLike()).to(.cpu) }
        }
        func error(_ found: Tensor, _ right: Tensor) -> Double { (found - right).squared().sum().scalar.squareRoot() }
        let exact = try gradients(.cpu, .float32)
        for ((found, other), right) in zip(zip(try gradients(#require(device)), try gradients(.cpu)), exact) {
            // As far from float32 as the processor is: both round, in other places.
            #expect(error(found, right) <= 2 * error(other, right) + 1e-6)
        }
    }
}
