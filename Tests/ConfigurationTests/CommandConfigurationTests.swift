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

    @Test("Paths that do not exist are named, and hub names are told apart") func inputs() throws {
        let here = FileManager.default.temporaryDirectory.path
        var configuration = GenerateConfiguration()
        configuration.model.model = here
        configuration.data.sources = [DataSource(path: here)]
        try configuration.checkInputs()
        configuration.data.sources = [DataSource(path: here + "/no-such-file.jsonl", weight: 2)]
        let missing = ConfigurationError.missingInput(setting: "data", path: here + "/no-such-file.jsonl")
        #expect(throws: missing) { try configuration.checkInputs() }
        configuration.model.model = "no-such-organisation/model"
        #expect { try configuration.checkInputs() } throws: { error in
            let error = error as? ConfigurationError
            return error?.exitStatus == .usage && error?.description.contains("is not available yet") == true
        }
    }
}
