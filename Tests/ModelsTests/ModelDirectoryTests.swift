import Foundation
import JSONText
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Model directories")
struct ModelDirectoryTests {
    private static let embedding = "model.embed_tokens.weight"
    private static let norm = "model.norm.weight"

    private func refusal(
        _ model: LanguageModel? = nil,
        changing change: (inout [String: Tensor]) -> Void
    ) throws -> String {
        let directory = try TinyModel.directory(model ?? TinyModel.make(), changing: change)
        let error = #expect(throws: ModelError.self) { try LanguageModel.load(directory.url, .frozen()) }
        return error?.description ?? ""
    }

    @Test("a saved model loads with the same weights", arguments: [true, false])
    func roundTrip(isTied: Bool) throws {
        let model = try TinyModel.make(["tie_word_embeddings": .bool(isTied), "attention_bias": true, "mlp_bias": true])
        let directory = try TinyModel.directory(model)
        let loaded = try LanguageModel.load(directory.url, .trainable())
        #expect(loaded.parameters.names == model.parameters.names)
        #expect(loaded.parameters.names.contains("lm_head.weight") == !isTied)
        for (found, expected) in zip(loaded.parameters.tensors, model.parameters.tensors) {
            #expect(found.detached().bytes() == expected.bytes())
            #expect(found.requiresGradient)
        }
        #expect(loaded.configuration.source["torch_dtype"]?.string == "float32")
    }

    @Test("bfloat16 weights load as they were rounded")
    func bfloat16() throws {
        let directory = try TemporaryDirectory()
        let model = try TinyModel.make()
        try model.save(to: directory.url, dtype: .bfloat16)
        let loaded = try LanguageModel.load(directory.url, .frozen())
        for (found, expected) in zip(loaded.parameters.tensors, model.parameters.tensors) {
            #expect(found.bytes() == expected.to(.bfloat16).to(.float32).bytes())
        }
    }

    @Test("a tensor that is missing, extra, misshapen, not finite or of whole numbers is named")
    func refusals() throws {
        let quantised = try refusal {
            $0["model.layers.0.mlp.up_proj.qweight"] = Tensor.zeros([2, 24], .int64)
            $0["model.layers.0.mlp.up_proj.weight"] = nil
        }
        #expect(quantised.contains("quantised"))
        #expect(try refusal { $0[Self.norm] = nil }.contains("no tensor \"\(Self.norm)\""))
        let extra = try refusal { $0["model.extra"] = Tensor([1, 2] as [Float]) }
        #expect(extra.contains("\"model.extra\""))
        let misshapen = try refusal { $0[Self.norm] = Tensor.zeros([8]) }
        #expect(misshapen.contains("[8]") && misshapen.contains("[16]"))
        #expect(try refusal { $0[Self.norm] = Tensor.full([16], .nan) }.contains("NaN"))
        #expect(try refusal { $0[Self.norm] = Tensor.full([16], -.infinity) }.contains("infinite"))
        #expect(try refusal { $0[Self.norm] = Tensor.zeros([16], .int64) }.contains("I64"))
    }

    @Test("rotary frequencies of old checkpoints are passed over")
    func rotaryFrequencies() throws {
        let directory = try TinyModel.directory(TinyModel.make()) {
            $0["model.layers.0.self_attn.rotary_emb.inv_freq"] = Tensor([1, 0.01] as [Float])
        }
        _ = try LanguageModel.load(directory.url, .frozen())
    }

    @Test("a stored head of a tied model must be the embedding")
    func tiedHead() throws {
        let model = try TinyModel.make(["tie_word_embeddings": true])
        let other = try refusal(model) { $0["lm_head.weight"] = Tensor.zeros([32, 16]) }
        #expect(other.contains("lm_head.weight"))
        let same = try TinyModel.directory(model) { $0["lm_head.weight"] = $0[Self.embedding] }
        _ = try LanguageModel.load(same.url, .frozen())
    }

    @Test("a fresh head starts a reward model, the same for a seed; elsewhere it is refused")
    func freshHead() throws {
        let directory = try TinyModel.directory(TinyModel.make())
        let model = try ScoreModel.load(directory.url, .frozen(), freshHead: 3)
        let again = try ScoreModel.load(directory.url, .frozen(), freshHead: 3)
        #expect(model.head.bytes() == again.head.bytes() && model.head.shape == [1, 16])
        let error = #expect(throws: ModelError.self) { try ScoreModel.load(directory.url, .frozen()) }
        #expect(error?.description.contains("is no reward model") == true)
    }

    @Test("a reward model keeps its head and statistics, and is no language model", arguments: ["score", "value_head"])
    func rewardModel(head: String) throws {
        let start = try TinyModel.directory(TinyModel.make())
        let model = try ScoreModel.load(start.url, .frozen(), freshHead: 3)
        let directory = try TemporaryDirectory()
        try model.save(to: directory.url, dtype: .float32, statistics: (0.5, 2))
        var tensors = try TinyModel.tensors(directory)
        tensors[head + ".weight"] = tensors.removeValue(forKey: "score.weight")
        try writeTensors(
            tensors.map { (name: $0.key, tensor: $0.value) },
            to: directory.url.appending(path: "model.safetensors")
        )
        let loaded = try ScoreModel.load(directory.url, .frozen())
        #expect(loaded.head.bytes() == model.head.bytes())
        let statistics = try #require(loaded.configuration.rewardStatistics)
        #expect(statistics == (0.5, 2))
        #expect(throws: ModelError.self) { try LanguageModel.load(directory.url, .frozen()) }
    }

    @Test("absurd sizes are refused before anything is made of them")
    func absurdSizes() throws {
        for key in ["num_hidden_layers", "head_dim", "vocab_size"] {
            for size in [0, -1, Int(Int32.max) + 1] {
                #expect(throws: ModelError.self) { try TinyModel.configuration([key: .integer(size)]) }
            }
        }
        #expect(throws: ModelError.self) { try TinyModel.configuration(["num_hidden_layers": 2_000_000_000]) }
        #expect(throws: ModelError.self) { try TinyModel.configuration(["num_attention_heads": 32]) }
    }
}
