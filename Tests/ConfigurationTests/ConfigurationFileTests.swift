import Foundation
import Testing

@testable import Configuration

/// A YAML file that is there while the body runs.
func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "rto-\(UUID().uuidString).yaml").path
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

@Suite struct ConfigurationFileTests {
    @Test("A file sets what its keys name, and flags override it") func merging() throws {
        let text = """
            # a recipe
            model: models/sft
            learning_rate: 5e-7
            batch-size: 16
            dpo_pretrain: models/dpo
            data: [a.jsonl@2, "b c.jsonl"]
            save_rollouts: yes
            max_steps:
            no_shuffle: true
            """
        try withFile(text) { path throws in
            let result = try configuration(.rto, "--batch-size", "8", "--config", path, "--max-steps", "5")
            #expect(result.model.model == "models/sft" && result.tokenReward.dpoModel == "models/dpo")
            #expect(result.optimizer.learningRate == 5e-7 && result.loop.batchSize == 8 && result.loop.maxSteps == 5)
            #expect(result.data.sources == [DataSource(path: "a.jsonl", weight: 2), DataSource(path: "b c.jsonl")])
            #expect(result.reinforcement.savesRollouts && result.data.keepsOrder)
            // A repeatable flag replaces the file's list.
            #expect(try configuration(.rto, "--config=" + path, "--data", "c").data.sources.map(\.path) == ["c"])
        }
    }

    @Test(
        "Reporters are written as transformers takes them",
        arguments: [
            ("tensorboard", [.tensorBoard]), ("[tensorboard]", [.tensorBoard]), ("all", [.tensorBoard]),
            ("none", []), ("[none]", []), ("\n- tensorboard", [.tensorBoard]), ("null", []), ("[]", []),
        ] as [(String, [MetricsReader])]
    )
    func reporters(text: String, readers: [MetricsReader]) throws {
        try withFile("report_to: " + text) { path throws in
            #expect(try configuration(.dpo, "--config", path).loop.reportTo == readers)
            let flagged = try configuration(.dpo, "--config", path, "--report-to", "none")
            #expect(flagged.loop.reportTo.isEmpty)
        }
    }

    @Test("The word none in a list of texts is a text, and alone it stands for no text") func noneAmongTexts() throws {
        for (text, expected) in [("[none]", ["none"]), ("none", []), ("[none, END]", ["none", "END"])] {
            try withFile("model: m\nprompts: p\nstop: " + text) { path throws in
                let read = try SettingReader(defaults: GenerateConfiguration()).read(["--config", path])
                guard case .run(let configuration) = read else { return #expect(Bool(false)) }
                #expect(configuration.stop == expected)
            }
        }
    }

    @Test("A later file overrides an earlier one") func twoFiles() throws {
        try withFile("seed: 1\nepochs: 2") { first throws in
            try withFile("seed: 3") { second throws in
                let result = try configuration(.sft, "--config", first, "--config", second)
                #expect(result.loop.seed == 3 && result.loop.epochs == 2)
            }
        }
    }

    @Test(
        "A bad key or value is named with file and line",
        arguments: [
            ("seed: 1\nlearning_rat: 1", 2, "unknown key learning_rat; did you mean learning_rate?"),
            ("gamma: 1", 1, "gamma does not apply to rto train sft, only to rto train ppo and rto train rto"),
            (
                "\n\nreport_to: [tensorboard, wandb]", 3,
                "report_to [tensorboard, wandb] is not available; there is tensorboard"
            ),
            ("\n\nreport_to: wandb", 3, "report_to wandb is not available; there is tensorboard"),
            ("epochs: many", 1, "epochs wants a whole number more than 0, not 'many'"),
            ("epochs: null", 1, "epochs wants a whole number more than 0, not 'none'"),
            ("epochs: [1, 2]", 1, "epochs wants a whole number more than 0, not '[1, 2]'"),
            ("no_shuffle: perhaps", 1, "no_shuffle wants true or false, not 'perhaps'"),
            ("config: other.yaml", 1, "unknown key config; did you mean"),
            ("optimizer:\n  learning_rate: 1", 1, "optimizer must be a value or a list of values, not a section"),
            ("data:\n  - [a]", 1, "data must be a value or a list of values, not a section"),
            ("? [a]\n: b", 1, "the name of a setting must be a word"),
            ("- a", 1, "settings are written as 'name: value', one a line"),
            ("seed: \"", 1, "not valid YAML"),
        ]
    )
    func errors(text: String, line: Int, sentence: String) throws {
        try withFile(text) { path throws in
            let found = refusal(.sft, "--config", path)
            #expect(found?.hasPrefix("\(path):\(line): \(sentence)") == true, "\(found ?? "accepted")")
        }
    }

    @Test("Files that hold no settings at all are refused or empty, never a crash") func strangeFiles() throws {
        try withFile("") { path throws in
            #expect(try configuration(.sft, "--config", path) == TrainConfiguration(stage: .sft))
        }
        try withFile("# only a comment\n") { path throws in
            #expect(try configuration(.sft, "--config", path) == TrainConfiguration(stage: .sft))
        }
        try withFile("seed: 1\nseed: 2") {
            #expect(refusal(.sft, "--config", $0)?.contains("seed is set more than once") == true)
        }
        try withFile(String(repeating: "[", count: 100_000)) { #expect(refusal(.sft, "--config", $0) != nil) }
        try withFile("a: &x [*x]") { #expect(refusal(.sft, "--config", $0) != nil) }
        try withFile("\u{0}\u{1}") { #expect(refusal(.sft, "--config", $0) != nil) }
        #expect(refusal(.sft, "--config", "/no/such/file")?.contains("there is no such file") == true)
        #expect(refusal(.sft, "--config", "/")?.contains("cannot be read") == true)
    }

    @Test("Bytes that are not UTF-8 are refused") func encoding() throws {
        try withFile("") { path throws in
            try Data([0x6D, 0x3A, 0x20, 0xFF]).write(to: URL(filePath: path))
            #expect(refusal(.sft, "--config", path) == "\(path): not UTF-8 text")
        }
    }
}
