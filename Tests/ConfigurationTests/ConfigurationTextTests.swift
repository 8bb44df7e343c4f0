import Testing

@testable import Configuration

/// A configuration of the stage in which many settings are not at their defaults, some with texts that YAML must quote.
private func unusual(_ stage: Stage) -> TrainConfiguration {
    var configuration = TrainConfiguration(stage: stage)
    configuration.model.model = "models/a b"
    configuration.model.tokenizer = "true"
    configuration.data.sources = [DataSource(path: "a, b.jsonl", weight: 0.25), DataSource(path: "x@home")]
    configuration.data.inputTemplate = "User: {}\n\"Assistant\"\\: #\t\u{85}é🦜"
    configuration.data.promptKey = "007"
    configuration.data.keepsOrder = true
    configuration.optimizer.learningRate = 1.2345678901234567e-7
    configuration.optimizer.schedule = .linear
    configuration.loop.output = "~/run"
    configuration.loop.maxSteps = 7
    configuration.loop.reportTo = [.tensorBoard]
    configuration.compute.precision = .bfloat16
    if stage.isReinforcement {
        configuration.reinforcement.rewardModel = "- rm"
        configuration.reinforcement.klTarget = 6
        configuration.reinforcement.truncation = .penalize
        configuration.reinforcement.savesRollouts = true
    }
    if stage == .kd { configuration.distillation.teacherModel = "'teacher'" }
    if stage == .rto { configuration.tokenReward.dpoModel = "*dpo" }
    return configuration
}

@Suite struct ConfigurationTextTests {
    @Test("What --print-config shows reads back the same", arguments: Stage.allCases) func roundTrip(stage: Stage)
        throws
    {
        try withFile(ConfigurationText.printed(unusual(stage))) { path throws in
            #expect(try configuration(stage, "--config", path) == unusual(stage))
        }
    }

    @Test("What differs from the defaults is marked, and nothing else") func marks() throws {
        let printed = ConfigurationText.printed(try configuration(.dpo, "--model", "m", "--beta", "0.3"))
        let marked = printed.split(separator: "\n").filter { $0.contains("# default") }
        #expect(marked.map { $0.prefix { $0 != " " } } == ["model:", "beta:"])
        #expect(printed.contains("beta: 0.3                               # default: 0.1\n"))
        #expect(printed.contains("\nlearning_rate: 5e-7\n"))
        #expect(printed.contains("\n# output must be given\n"))
    }

    @Test("A recipe reads back the same, by the stage it names or as a configuration file", arguments: Stage.allCases)
    func recipe(stage: Stage) throws {
        let recipe = Recipe(
            configuration: unusual(stage),
            commandLine: ["rto", "train", stage.rawValue, "--input-template", "{}\n\"x\""],
            versions: [Recipe.Version("rto", "0.1.0"), Recipe.Version("libtorch", "2.13.0+cpu")]
        )
        try withFile(recipe.text) { path throws in
            #expect(try Recipe.configuration(readingFrom: path) == unusual(stage))
            #expect(try configuration(stage, "--config", path) == unusual(stage))
        }
    }

    @Test("A recipe of another stage is refused, and so is a file that is none") func wrongRecipe() throws {
        let recipe = Recipe(configuration: unusual(.dpo), commandLine: [], versions: [])
        try withFile(recipe.text) { path throws in
            #expect(refusal(.sft, "--config", path) == "\(path) is the recipe of rto train dpo, not of rto train sft")
        }
        try withFile("seed: 1") { path throws in
            #expect(throws: ConfigurationError.self) { _ = try Recipe.configuration(readingFrom: path) }
        }
    }

    @Test("Help names every setting with its default", arguments: Stage.allCases) func help(stage: Stage) {
        let configuration = TrainConfiguration(stage: stage)
        let help = HelpText.text(for: configuration)
        for setting in configuration.settings { #expect(help.contains("--" + setting.name)) }
        #expect(help.contains("The seed of every random choice (default: 42)"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test("Help of the commands that talk fits a terminal") func talkingHelp() {
        for help in [HelpText.text(for: ServeConfiguration()), HelpText.text(for: ChatConfiguration())] {
            #expect(help.split(separator: "\n").allSatisfy { $0.count <= 120 })
        }
    }
}
