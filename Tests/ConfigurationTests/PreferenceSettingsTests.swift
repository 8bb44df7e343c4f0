import Testing

@testable import Configuration

@Suite("Settings of preference losses")
struct PreferenceSettingsTests {
    private let complete = ["--model", "m", "--data", "d", "--output", "o"]

    private func settings(_ words: String...) throws -> PreferenceSettings {
        try configuration(.dpo, words).preference
    }

    private func configuration(_ stage: Stage, _ words: [String]) throws -> TrainConfiguration {
        guard
            case .run(let found) = try SettingReader(defaults: TrainConfiguration(stage: stage)).read(complete + words)
        else { preconditionFailure("not a run") }
        return found
    }

    private func refusal(_ words: String...) -> String? {
        do {
            _ = try configuration(.dpo, words)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("each loss has the paper's defaults")
    func defaults() throws {
        let usual = PreferenceSettings()
        #expect(usual.beta == 0.1 && usual.lengthAlpha == 0.001 && usual.simpoGamma == 0.5 && usual.tdpoAlpha == 0.2)
        #expect(PreferenceObjective.allCases.map(\.beta) == [0.1, 0.1, 0.1, 2.5, 0.1, 0.1, 0.1])
    }

    @Test("β follows the loss unless it is given, before or after it")
    func beta() throws {
        #expect(try settings("--loss", "simpo").beta == 2.5)
        #expect(try settings("--loss", "simpo", "--beta", "0.1").beta == 0.1)
        #expect(try settings("--beta", "0.1", "--loss", "simpo").beta == 0.1)
        #expect(try settings("--beta", "3", "--loss", "ipo").beta == 3)
    }

    @Test("what is printed shows the β that is used, and marks it only where it was chosen")
    func printed() throws {
        func line(_ words: String...) throws -> String? {
            ConfigurationText.printed(try configuration(.dpo, words)).split(separator: "\n").map(String.init)
                .first { $0.hasPrefix("beta:") }
        }
        #expect(try line("--loss", "simpo") == "beta: 2.5")
        let chosen = try #require(try line("--loss", "simpo", "--beta", "2"))
        #expect(chosen.hasPrefix("beta: 2 ") && chosen.hasSuffix("# default: 2.5"))
        #expect(
            HelpText.text(for: TrainConfiguration(stage: .dpo)).contains("λ of orpo; of simpo 2.5 (default: 0.1)")
        )
    }

    @Test(
        "a setting of another loss is refused",
        arguments: [
            ("--length-alpha", "0.5", "--loss rdpo"), ("--simpo-gamma", "1", "--loss simpo"),
            ("--tdpo-alpha", "1", "--loss tdpo2"), ("--ipo-average", "true", "--loss ipo"),
            ("--simpo-hinge", "true", "--loss simpo"),
        ]
    )
    func otherLosses(flag: String, value: String, loss: String) {
        #expect(refusal(flag, value) == "\(flag) has an effect only with \(loss)")
        #expect(refusal(flag, value, "--loss", String(loss.dropFirst("--loss ".count))) == nil)
    }

    @Test("label smoothing is for the logistic losses, and a reference for those that ask it")
    func combinations() {
        let smoothing = "--label-smoothing has an effect only with --loss dpo or --loss simpo"
        #expect(refusal("--label-smoothing", "0.1", "--loss", "ipo") == smoothing)
        #expect(refusal("--label-smoothing", "0.1", "--loss", "simpo") == nil)
        #expect(refusal("--label-smoothing", "0.1", "--loss", "simpo", "--simpo-hinge")?.contains("logistic") == true)
        for loss in ["simpo", "orpo"] {
            let reference = "--reference-model has no effect with --loss \(loss), which needs none"
            #expect(refusal("--loss", loss, "--reference-model", "r") == reference)
        }
        #expect(refusal("--loss", "orpo", "--nll-coefficient", "0.5") == nil)
    }
}
