import Testing

@testable import Configuration

@Suite struct BenchConfigurationTests {
    private func read(_ words: String...) throws -> BenchConfiguration {
        let request = try SettingReader(defaults: BenchConfiguration()).read(words)
        guard case .run(let configuration) = request else { throw ConfigurationError.combination("no run") }
        return configuration
    }

    @Test("With nothing given everything is measured on 8M") func defaults() throws {
        let configuration = try read()
        #expect(configuration == BenchConfiguration())
        #expect(configuration.work == BenchWork.allCases && configuration.sizes == .million8)
    }

    @Test("Flags choose model, work and lengths") func flags() throws {
        let configuration = try read(
            "--shape",
            "135M",
            "--work",
            "score",
            "--work",
            "dpo",
            "--batch",
            "2",
            "--prompt-tokens",
            "5",
            "--new-tokens",
            "7",
            "--precision",
            "bfloat16",
            "--threads",
            "1",
            "--json"
        )
        #expect(configuration.sizes == .million135 && configuration.work == [.score, .dpo])
        #expect(configuration.batchSize == 2 && configuration.promptTokens == 5 && configuration.newTokens == 7)
        #expect(configuration.compute.precision == .bfloat16 && configuration.compute.threads == 1)
        #expect(configuration.printsJSON)
    }

    @Test("Sizes belong to the custom shape") func custom() throws {
        let configuration = try read("--shape", "custom", "--hidden-size", "32", "--heads", "4", "--layers", "3")
        #expect(configuration.sizes.hidden == 32 && configuration.sizes.heads == 4 && configuration.sizes.layers == 3)
        #expect(configuration.sizes.vocabulary == ModelSizes.million8.vocabulary)
        #expect(throws: ConfigurationError.self) { try read("--hidden-size", "32") }
        #expect(throws: ConfigurationError.self) { try read("--shape", "8M", "--layers", "2") }
    }

    @Test(
        "What nobody can measure is refused",
        arguments: [
            ["--model", "m", "--shape", "8M"], ["--shape", "7B"], ["--work", "ppo"], ["--work", "none"],
            ["--new-tokens", "1"], ["--batch", "0"], ["--repetitions", "0"],
            ["--batch", "4", "--samples-per-prompt", "3"],
            ["--batch", "9223372036854775807"], ["--prompt-tokens", "16777217"],
            ["--shape", "custom", "--heads", "3"], ["--shape", "custom", "--key-value-heads", "3"],
            ["--shape", "custom", "--hidden-size", "24", "--heads", "8"],
        ]
    )
    func refusals(words: [String]) {
        #expect(throws: ConfigurationError.self) {
            try SettingReader(defaults: BenchConfiguration()).read(words)
        }
    }
}
