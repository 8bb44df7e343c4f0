import Testing

@testable import Configuration

@Suite struct CommandLineTextTests {
    @Test("The words read back as the same configuration", arguments: Stage.allCases) func roundTrip(stage: Stage)
        throws
    {
        var original = TrainConfiguration(stage: stage)
        original.model.model = "a model"
        original.model.tokenizer = "--odd"
        original.data.sources = [DataSource(path: "x.jsonl", weight: 0.25), DataSource(path: "y")]
        original.data.keepsOrder = true
        original.optimizer.learningRate = 1.25e-7
        original.loop.maxSteps = 7
        original.loop.output = "run"
        if stage.isReinforcement { original.data.maxLength = 99 }
        let words = CommandLineText.words(original)
        #expect(Array(words.prefix(3)) == ["rto", "train", stage.rawValue])
        let request = try SettingReader(defaults: TrainConfiguration(stage: stage)).read(
            words.dropFirst(3) + ["--print-config"]
        )
        #expect(request == .printedConfiguration(original))
    }

    @Test("Settings at their defaults take no words") func defaults() {
        #expect(CommandLineText.words(GenerateConfiguration()) == ["rto", "generate"])
    }

    @Test("A shell reads the words as they are") func quoting() {
        let text = CommandLineText.shell([
            "rto", "train", "--data", "a b", "--input-template", "it's {}", "--model", "m/n",
        ])
        #expect(text == "rto train --data 'a b' --input-template 'it'\\''s {}' --model m/n")
    }

    @Test("Long commands go on in the next line, a flag with its value") func wrapping() {
        let text = CommandLineText.shell(["rto", "x", "--first", "1", "--second", "2", "--third", "3"], width: 22)
        #expect(text == "rto x --first 1 \\\n    --second 2 \\\n    --third 3")
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 22 })
    }
}
