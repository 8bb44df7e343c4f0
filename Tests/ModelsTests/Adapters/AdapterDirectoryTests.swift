import Foundation
import JSONText
import Safetensors
import TestSupport
import Testing
import Torch

@testable import Models

@Suite("Adapter directories")
struct AdapterDirectoryTests {
    let base: TemporaryDirectory

    init() throws { base = try TinyModel.directory(TinyModel.make(seed: 3)) }

    private func refusal(_ changes: [String: JSON]) throws -> String {
        let directory = try TinyAdapter.directory(TinyAdapter.fresh(on: base.url), changes)
        let error = #expect(throws: ModelError.self) { try LanguageModel.load(directory.url, .frozen()) }
        return error?.description ?? ""
    }

    @Test("a saved adapter loads with the same numbers, to score and to be trained on")
    func roundTrip() throws {
        let settings = AdapterSettings(rank: 2, alpha: 7, dropout: 0.1, targets: ["v_proj"], isRankStabilized: true)
        let model = try TinyAdapter.trained(on: base.url, settings)
        let directory = try TinyAdapter.directory(model)
        for preparation in [ParameterStore.Preparation.frozen(), .trainable()] {
            let loaded = try LanguageModel.load(directory.url, preparation)
            #expect(loaded.parameters.adapter?.settings == settings)
            #expect(loaded.parameters.names == model.parameters.names)
            #expect(loaded.parameters.tensors.allSatisfy { $0.requiresGradient == preparation.isTrainable })
            #expect(TinyAdapter.logits(loaded).bytes() == TinyAdapter.logits(model).bytes())
        }
        let packed = try LanguageModel.load(directory.url, .sampling())
        #expect(TinyAdapter.logits(packed).bytes() == TinyAdapter.logits(model).bytes())
    }

    @Test("tensors and settings are named as PEFT names them")
    func names() throws {
        let directory = try TinyAdapter.directory(TinyAdapter.fresh(on: base.url))
        let file = try SafetensorsFile(url: directory.url.appending(path: "adapter_model.safetensors"))
        let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
        #expect(file.entry(named: name)?.shape == [3, 16])
        #expect(file.entries.count == 28)
        let data = try Data(contentsOf: directory.url.appending(path: "adapter_config.json"))
        let json = try JSON(parsing: [UInt8](data))
        #expect(json["peft_type"]?.string == "LORA" && json["task_type"]?.string == "CAUSAL_LM")
        #expect(json["r"]?.integer == 3 && json["lora_alpha"]?.integer == 5)
        #expect(json["target_modules"]?.array?.compactMap(\.string) == AdapterSettings.layers)
        #expect(json["base_model_name_or_path"]?.string == base.url.path)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.url.path)
        #expect(Set(names) == ["adapter_config.json", "adapter_model.safetensors"])
    }

    @Test("variants of LoRA that are not supported are refused by their names")
    func variants() throws {
        let variants: [(String, JSON)] = [
            ("use_dora", true), ("bias", "all"), ("fan_in_fan_out", true), ("rank_pattern", ["q_proj": 8]),
            ("alpha_pattern", ["q_proj": 8]), ("modules_to_save", ["lm_head"]), ("init_lora_weights", "pissa"),
            ("target_modules", ["q_proj", "lm_head"]), ("target_modules", ".*q_proj"), ("layers_to_transform", [0]),
            ("peft_type", "LOHA"), ("r", 0), ("lora_dropout", 1), ("a_later_invention", 3),
        ]
        for (key, value) in variants {
            #expect(try refusal([key: value]).contains(key), "\(key)")
        }
        #expect(try refusal(["base_model_name_or_path": "nobody/nothing"]).contains("nobody/nothing"))
    }

    @Test("members that change nothing are passed over")
    func harmless() throws {
        let directory = try TinyAdapter.directory(
            TinyAdapter.fresh(on: base.url),
            [
                "init_lora_weights": "gaussian", "layers_pattern": nil, "rank_pattern": [:], "use_qalora": false,
                "exclude_modules": nil, "revision": "main", "target_modules": "all-linear",
            ]
        )
        _ = try LanguageModel.load(directory.url, .frozen())
    }

    @Test("tensors must be those that the settings ask for")
    func tensors() throws {
        #expect(try refusal(["target_modules": ["q_proj"]]).contains("lora_A"))
        #expect(try refusal(["r": 4]).contains("[4, 16]"))
        #expect(
            try refusal(["target_modules": .array((AdapterSettings.layers + ["z_proj"]).map(JSON.string))]).contains(
                "z_proj"
            )
        )
    }

    @Test("the base may be given beside the adapter, and lie beside it")
    func places() throws {
        let model = try TinyAdapter.trained(on: base.url)
        let moved = try TinyAdapter.directory(model, ["base_model_name_or_path": "gone"])
        let loaded = try LanguageModel.load(moved.url, base: base.url, .frozen())
        #expect(TinyAdapter.logits(loaded).bytes() == TinyAdapter.logits(model).bytes())
        let relative = "../" + base.url.lastPathComponent
        let beside = try TinyAdapter.directory(model, ["base_model_name_or_path": .string(relative)])
        _ = try LanguageModel.load(beside.url, .frozen())
        let twice = try TinyAdapter.directory(model, ["base_model_name_or_path": .string(moved.url.path)])
        try Data(contentsOf: base.url.appending(path: "config.json"))
            .write(to: moved.url.appending(path: "config.json"))
        #expect(throws: ModelError.self) { try LanguageModel.load(twice.url, .frozen()) }
    }

    @Test("a target that is no layer is named")
    func unknownTarget() throws {
        let settings = AdapterSettings(rank: 1, alpha: 1, targets: ["q_proj", "layers.9.self_attn.v_proj"])
        let error = #expect(throws: ModelError.self) { try TinyAdapter.fresh(on: base.url, settings) }
        #expect(error?.description.contains("layers.9.self_attn.v_proj") == true)
    }

    @Test("a reward model's head is trained and saved with its adapter, and so are its statistics")
    func scoreModel() throws {
        let start = AdapterStart(TinyAdapter.settings, seed: 7)
        let model = try ScoreModel.load(base.url, .trainable(), freshHead: 2, adapter: start)
        #expect(model.parameters.names.last == "score.weight" && model.parameters.names.count == 29)
        TinyAdapter.randomize(model.parameters)
        let directory = try TemporaryDirectory()
        try model.save(to: directory.url, dtype: .float32, statistics: (0.5, 2))
        let file = try SafetensorsFile(url: directory.url.appending(path: "adapter_model.safetensors"))
        #expect(file.entry(named: "base_model.model.score.weight")?.shape == [1, 16])
        let loaded = try ScoreModel.load(directory.url, .frozen())
        let merged = try loaded.merged()
        let rows = TinyAdapter.batch()
        let expected = withoutGradients { model.rewards(rows) }
        #expect(withoutGradients { loaded.rewards(rows) }.bytes() == expected.bytes())
        #expect(excess(withoutGradients { merged.rewards(rows) }, expected, absolute: 1e-4, relative: 1e-4) <= 0)
        #expect(try #require(loaded.configuration.rewardStatistics) == (0.5, 2))
        #expect(throws: ModelError.self) { try LanguageModel.load(directory.url, .frozen()) }
    }

    @Test("a language model's adapter starts a reward model only where a new head is allowed")
    func scoreModelOfLanguageAdapter() throws {
        let directory = try TinyAdapter.directory(TinyAdapter.trained(on: base.url))
        #expect(throws: ModelError.self) { try ScoreModel.load(directory.url, .frozen()) }
        let model = try ScoreModel.load(directory.url, .trainable(), freshHead: 2)
        #expect(model.parameters.names.count == 29)
    }
}

@Suite("Adapters against PEFT", .enabled(if: SharedFixtures.arePresent, "\(SharedFixtures.reason)"))
struct AdapterFixtureTests {
    @Test("logits agree with the adapter on, off and merged", arguments: ["llama_mha_lora", "llama_mha_rslora_qv"])
    func fixtures(_ name: String) throws {
        let file = try SafetensorsFile(url: SharedFixtures.model(name).appending(path: "golden.safetensors"))
        let ids = try #require(file.tensor("long.input_ids")).integers
        let model = try LanguageModel.load(SharedFixtures.model(name), .frozen())
        let merged = try model.merged()
        for (state, model) in [("adapter", model), ("base", try model.withoutAdapter()), ("merged", merged)] {
            let expected = try #require(file.tensor("long.logits_\(state)")).selected(0, 0)
            let found = withoutGradients { model.logits(TokenBatch([ids])) }
            #expect(excess(found, expected, absolute: 2e-4, relative: 1e-4) <= 0, "\(state)")
        }
        for weight in ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight"] {
            let index = try #require(merged.parameters.names.firstIndex(of: weight))
            let expected = try #require(file.tensor("merged." + weight))
            #expect(excess(merged.parameters.tensors[index], expected, absolute: 1e-6, relative: 1e-5) <= 0)
        }
    }
}
