import Foundation
import JSONText
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Recorded models against transformers", .enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct RecordedModelTests {
    static let families = [
        "llama_mha_tied", "llama3_gqa_untied", "llama_mqa_bias_linear_rope", "mistral_sliding_window",
        "qwen2_bias_tied", "qwen3_qknorm", "gemma2", "gemma3_text", "phi3_fused", "llama_sharded_bf16",
    ]

    private func load(_ name: String, _ preparation: ParameterStore.Preparation = .frozen()) throws -> LanguageModel {
        try LanguageModel.load(SharedFixtures.model(name), preparation)
    }

    private func golden(_ name: String) throws -> SafetensorsFile {
        try SafetensorsFile(url: SharedFixtures.model(name).appending(path: "golden.safetensors"))
    }

    @Test("logits agree", arguments: families, ["prompt0", "prompt1", "long"])
    func logits(_ name: String, _ text: String) throws {
        let file = try golden(name)
        let ids = try #require(file.tensor("\(text).input_ids")).integers
        let expected = try #require(file.tensor("\(text).logits")).selected(0, 0)
        let found = withoutGradients { () -> Tensor in
            guard let model = try? load(name) else { return Tensor([Float]()) }
            return model.logits(TokenBatch([ids]))
        }
        #expect(excess(found, expected, absolute: 2e-4, relative: 1e-4) <= 0)
    }

    @Test("a ragged batch gives what a padded one gives", arguments: families)
    func ragged(_ name: String) throws {
        let file = try golden(name)
        let ids = try #require(file.tensor("leftpad.input_ids"))
        let mask = try #require(file.tensor("leftpad.attention_mask"))
        let expected = try #require(file.tensor("leftpad.logits"))
        let rows = (0..<ids.size(0)).map { row in
            zip(ids.selected(0, row).integers, mask.selected(0, row).integers).filter { $0.1 == 1 }.map(\.0)
        }
        let model = try load(name)
        let batch = TokenBatch(rows)
        let found = withoutGradients { model.logits(batch) }
        for (row, segment) in batch.segments.enumerated() {
            let width = expected.size(1)
            let attended = expected.selected(0, row).narrowed(0, width - segment.length..<width)
            #expect(excess(found.narrowed(0, segment.range), attended, absolute: 2e-4, relative: 1e-4) <= 0)
        }
    }

    @Test("greedy decoding gives the same ids", arguments: families)
    func greedy(_ name: String) throws {
        let file = try golden(name)
        let prompt = try #require(file.tensor("prompt0.input_ids")).integers
        let expected = try #require(file.tensor("greedy.output_ids")).integers
        let parameters = SamplingParameters(maxNewTokens: expected.count - prompt.count, isGreedy: true)
        let found = try SequenceGenerator(load(name), parameters).generate([prompt, [1], prompt], seed: 0)
        #expect(prompt + found[0].tokens == expected)
        #expect(found[2].tokens == found[0].tokens)
    }

    @Test("cross entropy and its gradients agree", arguments: families.dropLast(), [false, true])
    func gradients(_ name: String, checkpointing: Bool) throws {
        let data = try Data(contentsOf: SharedFixtures.model(name).appending(path: "golden.json"))
        let json = try JSON(parsing: [UInt8](data))
        let ids = try #require(golden(name).tensor("long.input_ids")).integers
        var model = try load(name, .trainable())
        model.checkpointsGradients = checkpointing
        let rows = ResponseBatch([.init(prompt: [ids[0]], response: Array(ids.dropFirst()))])
        let loss = -model.logProbabilities(rows).mean()
        let expectedLoss = try #require(json["ce_loss_long"]?.number)
        #expect(abs(loss.scalar - expectedLoss) <= 1e-4)
        loss.backward()
        for (parameter, recorded) in try #require(json["ce_grad"]?.object).members {
            let index = try #require(model.parameters.names.firstIndex(of: parameter))
            let gradient = try #require(model.parameters.tensors[index].gradient)
            let norm = try #require(recorded["l2"]?.number)
            #expect(abs(gradient.squared().sum().scalar.squareRoot() - norm) <= 1e-3 * norm + 1e-5)
            let places = try #require(recorded["index"]?.array).compactMap(\.integer)
            let values = try #require(recorded["values"]?.array).compactMap(\.number)
            let flat = gradient.reshaped([-1]).doubles
            for (place, value) in zip(places, values) {
                #expect(abs(flat[place] - value) <= 1e-3 * abs(value) + 1e-5, "\(parameter)[\(place)]")
            }
        }
    }

    @Test("bfloat16 follows float32 loosely")
    func bfloat16() throws {
        let file = try SafetensorsFile(
            url: SharedFixtures.model("llama_sharded_bf16").appending(path: "golden_bf16.safetensors")
        )
        let ids = try #require(file.tensor("long.input_ids")).integers
        let expected = try #require(file.tensor("long.logits_bf16")).selected(0, 0)
        let model = try LanguageModel.load(
            SharedFixtures.model("llama_sharded_bf16"),
            .frozen(.bfloat16),
            precision: .bfloat16
        )
        let found = withoutGradients { model.logits(TokenBatch([ids])) }
        #expect(excess(found, expected, absolute: 2.5e-1, relative: 2e-2) <= 0)
    }

    private static let stories = SharedFixtures.url("fixtures/models/stories260K_golden")

    private func stories(_ key: String) throws -> [JSON] {
        let data = try Data(contentsOf: Self.stories.appending(path: "golden.json"))
        return try #require(JSON(parsing: [UInt8](data))[key]?.array)
    }

    private func ids(_ json: JSON, _ key: String) throws -> [Int] {
        try #require(json[key]?.array).compactMap(\.integer)
    }

    @Test("stories260K goes on with its stories as transformers does")
    func storyContinuations() throws {
        let model = try LanguageModel.load(SharedFixtures.url("models/stories260K"), .frozen())
        let recorded = try stories("greedy")
        #expect(recorded.count > 1)
        for story in recorded {
            let expected = try ids(story, "greedy_ids")
            let parameters = SamplingParameters(
                maxNewTokens: expected.count,
                isGreedy: true,
                stopTokens: Set(model.configuration.endOfSequence)
            )
            let found = try SequenceGenerator(model, parameters).generate([try ids(story, "prompt_ids")], seed: 0)
            #expect(found[0].tokens == expected)
            #expect(found[0].isFinished == story["finished_with_eos"]?.bool)
        }
    }

    @Test("stories260K gives each token of a text the recorded log-probability")
    func storyLogProbabilities() throws {
        let model = try LanguageModel.load(SharedFixtures.url("models/stories260K"), .frozen())
        let texts = try stories("texts")
        let found = model.sequenceLogProbabilities(try texts.map { try ids($0, "ids") })
        for (text, found) in zip(texts, found) {
            let expected = try #require(text["token_logprobs"]?.array).compactMap(\.number)
            #expect(found.count == expected.count)
            #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 1e-4 })
            #expect(abs(Double(found.reduce(0, +)) - (text["sum"]?.number ?? .nan)) <= 1e-3)
        }
    }
}

@Suite("Reward models", .enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct ScoreModelTests {
    private func rows(_ file: SafetensorsFile, _ side: String) throws -> [[Int]] {
        let ids = try #require(file.tensor("\(side).input_ids"))
        let mask = try #require(file.tensor("\(side).attention_mask"))
        return (0..<ids.size(0)).map { row in
            zip(ids.selected(0, row).integers, mask.selected(0, row).integers).filter { $0.1 == 1 }.map(\.0)
        }
    }

    @Test("the layout of AutoModelForSequenceClassification scores as transformers does")
    func sequenceClassification() throws {
        let directory = SharedFixtures.model("reward_seqcls")
        let file = try SafetensorsFile(url: directory.appending(path: "golden.safetensors"))
        let model = try ScoreModel.load(directory, .frozen())
        for side in ["leftpad", "rightpad"] {
            let batch = ResponseBatch(
                try rows(file, side).map { .init(prompt: [$0[0]], response: Array($0.dropFirst())) }
            )
            let found = withoutGradients { model.rewards(batch) }
            #expect(excess(found, try #require(file.tensor("\(side).rewards")), absolute: 1e-5, relative: 1e-5) <= 0)
        }
    }

    @Test("OpenRLHF's layout scores and values as the reference does")
    func openRLHF() throws {
        let directory = SharedFixtures.model("reward_openrlhf_value_head")
        let file = try SafetensorsFile(url: directory.appending(path: "golden.safetensors"))
        let model = try ScoreModel.load(directory, .frozen())
        let sequences = try rows(file, "left")
        let batch = TokenBatch(sequences)
        let scores = withoutGradients { model.tokenScores(batch) }
        let expected = try #require(file.tensor("left.token_values_raw"))
        for (row, segment) in batch.segments.enumerated() {
            let width = expected.size(1)
            let part = expected.selected(0, row).narrowed(0, width - segment.length..<width)
            #expect(excess(scores.narrowed(0, segment.range), part, absolute: 1e-5, relative: 1e-5) <= 0)
        }
        let statistics = try #require(model.configuration.rewardStatistics)
        #expect(abs(statistics.mean - 0.37) < 1e-6 && abs(statistics.deviation - 1.9) < 1e-6)
    }
}
