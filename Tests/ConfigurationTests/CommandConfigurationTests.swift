import Foundation
import Testing

@testable import Configuration

@Suite struct CommandConfigurationTests {
    @Test("Generation reads its flags") func generate() throws {
        let words = [
            "--model", "m", "--prompts", "p.jsonl", "--stop", "\n", "--stop", "END", "--top-k", "5", "--max_new_tokens",
            "9",
            "--log-probabilities", "--samples-per-prompt", "4",
        ]
        var expected = GenerateConfiguration()
        expected.model.model = "m"
        expected.data.sources = [DataSource(path: "p.jsonl")]
        expected.stop = ["\n", "END"]
        expected.sampling.topK = 5
        expected.sampling.maxNewTokens = 9
        expected.sampling.samplesPerPrompt = 4
        expected.logProbabilities = true
        #expect(try SettingReader(defaults: GenerateConfiguration()).read(words) == .run(expected))
    }

    @Test(
        "Greedy decoding takes no sampling flags",
        arguments: [
            ["--temperature", "0.7"], ["--top-p", "0.9"], ["--top-k", "3"], ["--samples-per-prompt", "2"],
        ]
    )
    func greedy(words: [String]) {
        let reader = SettingReader(defaults: GenerateConfiguration())
        #expect(throws: ConfigurationError.self) {
            try reader.read(["--model", "m", "--data", "p", "--greedy"] + words)
        }
    }

    @Test(
        "A server that makes no sense is refused",
        arguments: [
            [], ["--model", "m", "--token", "a", "--token-file", "f"], ["--model", "m", "--normalize-reward"],
            ["--reward-model", "r", "--name", "n"], ["--model", "m", "--max-length", "9", "--max-new-tokens", "9"],
            ["--model", "m", "--port", "65536"], ["--model", "m", "--max-concurrent", "0"],
            ["--model", "m", "--request-timeout", "0"],
        ]
    )
    func serve(words: [String]) {
        #expect(throws: ConfigurationError.self) { try SettingReader(defaults: ServeConfiguration()).read(words) }
    }

    @Test("A conversation takes no samples beside each other, and nothing that has no effect")
    func chat() {
        let reader = SettingReader(defaults: ChatConfiguration())
        for words in [
            [], ["--model", "m", "--samples-per-prompt", "2"], ["--model", "m", "--greedy", "--temperature", "1"],
            ["--model", "m", "--input-template", "{}", "--system", "s"],
            ["--model", "m", "--max-length", "9", "--max-new-tokens", "9"],
        ] { #expect(throws: ConfigurationError.self) { try reader.read(words) } }
        #expect(throws: Never.self) { try reader.read(["--model", "m", "--greedy", "--stop", "a"]) }
    }

    @Test("What is scored follows from the models given") func score() throws {
        func quantity(_ words: String...) throws -> ScoreConfiguration.Quantity? {
            guard case .run(let configuration) = try SettingReader(defaults: ScoreConfiguration()).read(words) else {
                return nil
            }
            return configuration.quantity
        }
        #expect(try quantity("--model", "m", "--top-logits", "5") == .logProbabilities(model: "m"))
        #expect(try quantity("--reward-model", "r") == .rewards(rewardModel: "r"))
        let tokenRewards = try quantity("--model", "d", "--reference-model", "b", "--token-reward-scale", "0.1")
        #expect(tokenRewards == .tokenRewards(model: "d", reference: "b"))
        #expect(throws: ConfigurationError.self) { try quantity() }
        #expect(throws: ConfigurationError.self) { try quantity("--model", "m", "--reward-model", "r") }
        #expect(throws: ConfigurationError.self) { try quantity("--model", "m", "--token-reward-clip", "1") }
        #expect(throws: ConfigurationError.self) { try quantity("--reward-model", "r", "--top-logits", "1") }
    }

    @Test("Paths that do not exist are named, each looked for as what it is") func inputs() throws {
        var configuration = GenerateConfiguration()
        configuration.model.model = "m"
        configuration.data.sources = [DataSource(path: "d"), DataSource(path: "e", weight: 2)]
        try configuration.checkInputs { path, input in input == .data ? ["d", "e"].contains(path) : path == "m" }
        let missing = ConfigurationError.missingInput(setting: "data", path: "e")
        #expect(throws: missing) { try configuration.checkInputs { path, _ in path != "e" } }
        #expect(throws: ConfigurationError.missingInput(setting: "model", path: "m")) {
            try configuration.checkInputs { _, input in input == .data }
        }
    }

    @Test("Models, tokenizers and rows are put through a function, with their weights") func replacing() throws {
        let words = [
            "--output", "o", "--model", "a/m", "--tokenizer", "a/t", "--data", "a/d@0.5", "--data", "b/d@v1@2",
            "--reward-model", "r@2",
            "--dpo-model", "p", "--ptx-data", "x", "--critic-model", "c", "--reference-model", "f", "--chat-template",
            "file",
        ]
        guard case .run(let configuration) = try SettingReader(defaults: TrainConfiguration(stage: .rto)).read(words)
        else {
            Issue.record("is no run")
            return
        }
        var seen: [String] = []
        let replaced = configuration.replacingInputs { setting, input, path in
            seen.append("\(setting) \(input) \(path)")
            return "/" + path
        }
        let expected = [
            "model model a/m", "tokenizer tokenizer a/t", "reference-model model f", "dpo-model model p",
            "reward-model model r",
            "critic-model model c", "data data a/d", "data data b/d@v1", "chat-template file file", "ptx-data data x",
        ]
        #expect(seen.sorted() == expected.sorted())
        #expect(
            replaced.data.sources == [DataSource(path: "/a/d", weight: 0.5), DataSource(path: "/b/d@v1", weight: 2)]
        )
        #expect(replaced.reinforcement.rewardModels == [WeightedModel(path: "/r", weight: 2)])
        #expect(replaced.model.tokenizer == "/a/t" && replaced.tokenReward.dpoModel == "/p")
    }

    @Test("Templates and tokens of servers and chats are files here, never a hub's") func files() throws {
        let words = ["--model", "m", "--chat-template", "template"]
        let reading = try SettingReader(defaults: ServeConfiguration()).read(words + ["--token-file", "token"])
        guard case .run(let serve) = reading,
            case .run(let chat) = try SettingReader(defaults: ChatConfiguration()).read(words)
        else {
            Issue.record("is no run")
            return
        }
        var seen: [String] = []
        _ = serve.replacingInputs { setting, input, path in
            seen.append("\(setting) \(input)")
            return path
        }
        #expect(seen.sorted() == ["chat-template file", "model model", "token-file file"])
        seen = []
        _ = chat.replacingInputs { setting, input, path in
            seen.append("\(setting) \(input)")
            return path
        }
        #expect(seen.sorted() == ["chat-template file", "model model"])
    }

    @Test("A commit behind a data set is no weight, even where it could be read as one") func commits() throws {
        let digits = String(repeating: "1", count: 40)
        let source = try DataSource(settingText: "org/rows@" + digits)
        #expect(source == DataSource(path: "org/rows@" + digits))
        #expect(try DataSource(settingText: source.settingText) == source)
        #expect(
            try DataSource(settingText: "org/rows@\(digits)@0.5") == DataSource(path: "org/rows@" + digits, weight: 0.5)
        )
        #expect(try DataSource(settingText: "org/rows@1.0@1") == DataSource(path: "org/rows@1.0", weight: 1))
    }
}
