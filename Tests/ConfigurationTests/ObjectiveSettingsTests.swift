import Testing

@testable import Configuration

@Suite("Settings of KTO, distillation and reward models")
struct ObjectiveSettingsTests {
    private func refusal(_ stage: Stage, _ words: String...) -> String? {
        let complete = ["--model", "m", "--data", "d", "--output", "o"]
        do {
            _ = try SettingReader(defaults: TrainConfiguration(stage: stage)).read(complete + words)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("defaults are OpenRLHF's")
    func defaults() {
        #expect(UnpairedSettings().beta == 0.1 && UnpairedSettings().desirableWeight == 1)
        #expect(DistillationSettings().coefficient == 0.4 && RewardSettings().loss == .sigmoid)
    }

    @Test("KTO wants batches of two, whose responses can be exchanged")
    func batches() {
        #expect(refusal(.kto) == nil && refusal(.kto, "--batch-size", "2") == nil)
        #expect(refusal(.kto, "--batch-size", "1")?.hasPrefix("--batch-size must be at least 2: rto train kto") == true)
    }

    @Test("distillation wants a teacher and a share")
    func teacher() {
        #expect(refusal(.kd) == "rto train kd needs a model to learn from: --teacher-model DIRECTORY")
        #expect(refusal(.kd, "--teacher-model", "t", "--kd-coef", "0.5") == nil)
        let share = "--kd-coefficient wants a number from 0 to 1, not '1.5'"
        #expect(refusal(.kd, "--teacher-model", "t", "--kd-coefficient", "1.5") == share)
    }

    @Test("LogExp knows no margin")
    func margins() {
        #expect(refusal(.reward, "--margin-loss") == nil && refusal(.reward, "--loss", "logexp") == nil)
        let margin = "--margin-loss has an effect only with --loss sigmoid"
        #expect(refusal(.reward, "--margin-loss", "--loss", "logexp") == margin)
    }

    @Test("each stage has its own β and columns")
    func ownSettings() {
        #expect(refusal(.kto, "--label-key", "good", "--beta", "0.2", "--undesirable-weight", "0.5") == nil)
        #expect(
            refusal(.sft, "--label-key", "x") == "--label-key does not apply to rto train sft, only to rto train kto"
        )
        #expect(refusal(.kd, "--teacher-model", "t", "--beta", "1")?.contains("does not apply to rto train kd") == true)
    }
}
