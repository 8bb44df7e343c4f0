import Testing

@testable import Configuration

@Suite struct RefusalTests {
    @Test(
        "An unknown flag is answered with the nearest known one",
        arguments: [
            ("--learning-rat", "--learning-rate"), ("--lr", "--lr-schedule"), ("--ouptut", "--output"),
            ("--lamda", "--lambda"), ("--top_q", "--top-p"), ("--cofnig", "--config"),
            ("--print_confg", "--print-config"),
            ("--temprature", "--temperature"), ("--max_lenght", "--max-length"),
        ]
    )
    func nearest(typed: String, meant: String) {
        #expect(refusal(.rto, typed, "1") == "unknown flag \(typed); did you mean \(meant)?")
    }

    @Test(
        "A value that does not fit is refused with what is wanted",
        arguments: [
            ("--learning-rate", "fast", "a number more than 0"), ("--learning-rate", "0", "a number more than 0"),
            ("--learning-rate", "nan", "a number more than 0"), ("--learning-rate", "0x1p3", "a number more than 0"),
            ("--epochs", "1.5", "a whole number more than 0"),
            ("--seed", "99999999999999999999", "a whole number of at least 0"),
            ("--adam-beta1", "1", "a number from 0 to less than 1"),
            ("--top-p", "0", "a number more than 0 and at most 1"),
            ("--gamma", "1.01", "a number from 0 to 1"), ("--precision", "float16", "float32 or bfloat16"),
            ("--max-length", "1", "a whole number from 2 to 1073741824"), ("--model", "", "some text"),
            ("--input-template", "no place", "some text with {} where the prompt goes"),
            ("--data", "a@-1", "path or path@weight with a weight more than 0"),
            ("--reward-url", "localhost:5000", "an http:// or https:// address"),
            ("--remote-rm-url", "http://a/r,b", "an http:// or https:// address"),
            ("--dual-clip", "1", "a number more than 1"), ("--ema-decay", "1", "a number from 0 to less than 1"),
        ]
    )
    func values(flag: String, value: String, wanted: String) {
        #expect(refusal(.rto, flag, value) == "\(flag) wants \(wanted), not '\(value)'")
    }

    @Test("A missing value and a stray word are named") func words() {
        #expect(refusal(.sft, "--seed") == "--seed wants a whole number of at least 0 after it")
        #expect(refusal(.sft, "--model", "--data", "d") == "--model wants some text after it")
        #expect(refusal(.sft, "--config") == "--config wants a YAML file after it")
        let stray = "unexpected argument 'x'; rto train sft takes flags only (see rto train sft --help)"
        #expect(refusal(.sft, "x") == stray)
        #expect(refusal(.sft, "--no-shuffle=maybe") == "--no-shuffle wants true or false, not 'maybe'")
        #expect(refusal(.sft, "--") != nil && refusal(.sft, "") != nil && refusal(.sft, "---") != nil)
    }

    @Test("A flag of another stage is not ignored") func otherStages() {
        let gamma = "--gamma does not apply to rto train dpo, only to rto train ppo and rto train rto"
        #expect(refusal(.dpo, "--gamma", "1") == gamma)
        #expect(
            refusal(.ppo, "--dpo-pretrain", "m")
                == "--dpo-pretrain does not apply to rto train ppo, only to rto train rto"
        )
    }

    @Test("Reporters of other programs are said not to be there, and others not to exist", arguments: Stage.allCases)
    func reporters(stage: Stage) {
        let there = "there is tensorboard"
        #expect(refusal(stage, "--report-to", "wandb") == "--report-to wandb is not available; \(there)")
        #expect(refusal(stage, "--report_to", "comet_ml") == "--report_to comet_ml is not available; \(there)")
        #expect(refusal(stage, "--report-to", "x") == "--report-to wants tensorboard or none, not 'x'")
        let apart = "metrics are reported by --report-to, to tensorboard alone"
        #expect(refusal(stage, "--use_tensorboard", "logs") == "--use_tensorboard: \(apart)")
        #expect(refusal(stage, "--use-wandb", "key") == "--use-wandb: \(apart)")
        #expect(refusal(stage, "--report-to")?.hasPrefix("--report-to wants tensorboard or none") == true)
    }

    @Test("A split is not asked for by a flag of its own", arguments: ["train-split", "dataset_test_split"])
    func splits(name: String) {
        let sentence = "the split stands behind the directory, as in --data DIRECTORY:train_prefs"
        #expect(refusal(.dpo, "--" + name, "train") == "--\(name): \(sentence)")
    }

    @Test("Unknown values are answered with the known ones") func unknownValues() {
        let advantage = "gae, reinforce++, reinforce++-baseline, rloo, grpo or dr-grpo"
        #expect(refusal(.ppo, "--advantage", "vtrace") == "--advantage wants \(advantage), not 'vtrace'")
        let placement = "--token-reward-placement wants token, sentence, end or shaping, not 'row'"
        #expect(refusal(.rto, "--token-reward-placement", "row") == placement)
        let losses = "dpo, ipo, rdpo, simpo, tdpo1, tdpo2 or orpo"
        #expect(refusal(.dpo, "--loss", "hinge") == "--loss wants \(losses), not 'hinge'")
    }

    @Test("What a stage needs is asked for") func missing() {
        #expect(refusal(.sft)?.hasPrefix("rto train sft needs a model") == true)
        #expect(refusal(.sft, "--model", "m")?.contains("--output") == true)
        #expect(refusal(.sft, "--model", "m", "--output", "o") == "rto train sft needs rows to train on: --data FILE")
        let prompts = "rto train ppo needs rows to train on: --data FILE or --rollouts FILE"
        #expect(refusal(.ppo, "--model", "m", "--output", "o") == prompts)
        #expect(refusal(.ppo, "--model", "m", "--output", "o", "--rollouts", "r")?.contains("--reward-model") == true)
        let rto = ["--model", "m", "--output", "o", "--rollouts", "r"]
        #expect(reinforcementRefusal(rto + ["--reward-model", "w"])?.contains("--dpo-model") == true)
        #expect(reinforcementRefusal(rto + ["--reward-model", "w", "--token-reward-scale", "0"]) == nil)
        #expect(reinforcementRefusal(rto + ["--reward-coefficient", "0", "--dpo-model", "d"]) == nil)
    }

    @Test(
        "Settings without effect beside the others are refused",
        arguments: [
            (["--kl-horizon", "5"], "--kl-horizon"),
            (["--kl-target", "6", "--kl-coefficient", "0"], "--kl-target"),
            (["--truncation", "penalize", "--reward-clip", "0"], "--reward-clip"),
            (["--lr-schedule", "constant", "--min-lr-ratio", "0.5"], "--min-lr-ratio"),
            (["--max-length", "100", "--max-new-tokens", "100"], "--max-length 100 leaves no room"),
            (["--reward-coefficient", "0", "--reward-model", "none", "--normalize-reward"], "--normalize-reward"),
            (["--advantage", "rloo"], "--samples-per-prompt must be at least 2"),
            (["--advantage", "grpo", "--samples-per-prompt", "4", "--gamma", "0.9"], "--gamma"),
            (["--advantage", "reinforce++", "--lambda", "0.9"], "--lambda has an effect only with --advantage gae"),
            (["--advantage", "reinforce", "--critic-model", "c"], "--critic-model"),
            (["--advantage", "reinforce", "--critic-learning-rate", "1"], "--critic-learning-rate"),
            (["--advantage", "reinforce++", "--value-clip-range", "none"], "--value-clip-range"),
            (["--advantage", "dr_grpo", "--samples-per-prompt", "2", "--no-advantage-std-norm"], "--no-advantage-std"),
            (["--reward-timeout", "5"], "--reward-url"),
            (["--ptx-coef", "0.1"], "--ptx-data"),
            (["--advantage", "reinforce++", "--freeze-actor-steps", "2"], "--freeze-actor-steps"),
            (["--clip-range-high", "0.1"], "--clip-range-high 0.1 must be at least --clip-range 0.2"),
        ]
    )
    func combinations(words: [String], named: String) {
        let complete = ["--model", "m", "--output", "o", "--data", "d", "--reward-model", "w", "--dpo-model", "p"]
        #expect(reinforcementRefusal(complete + words)?.contains(named) == true)
        #expect(reinforcementRefusal(complete) == nil)
    }

    @Test("What to evaluate on is said once") func evaluation() {
        let complete = ["--model", "m", "--output", "o", "--data", "d"]
        func refused(_ words: String...) -> String? {
            do throws(ConfigurationError) {
                _ = try SettingReader(defaults: TrainConfiguration(stage: .dpo)).read(complete + words)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(refused("--eval-every", "5")?.contains("nothing to evaluate on") == true)
        #expect(refused("--eval-every", "5", "--eval-share", "0.1") == nil)
        #expect(refused("--eval-data", "e", "--eval-share", "0.1")?.contains("say twice") == true)
        #expect(refused("--eval-share", "0.6")?.contains("more than 0 and at most 0.5") == true)
    }

    @Test("Batches must divide what is collected, and so must samples unless rollouts are recorded") func batches() {
        let complete = ["--model", "m", "--output", "o", "--data", "d", "--reward-model", "w", "--dpo-model", "p"]
        let batch = "--rollout-batch-size 100 must be a multiple of --batch-size 128"
        #expect(reinforcementRefusal(complete + ["--rollout-batch-size", "100"]) == batch)
        let samples = reinforcementRefusal(complete + ["--samples-per-prompt", "3"])
        #expect(samples == "--rollout-batch-size 1024 must be a multiple of --samples-per-prompt 3")
        #expect(reinforcementRefusal(complete + ["--samples-per-prompt", "3", "--rollouts", "r"]) == nil)
    }

    @Test("Wrong usage and bad files end with different statuses") func statuses() {
        let origin = SettingOrigin.commandLine(flag: "--x")
        #expect(ConfigurationError.unknownSetting(origin, nearest: "--y").exitStatus.rawValue == 64)
        #expect(ConfigurationError.combination("").exitStatus.rawValue == 64)
        #expect(ConfigurationError.badFile(path: "f", line: 1, reason: "r").exitStatus.rawValue == 65)
        #expect(ConfigurationError.missingInput(setting: "model", path: "m").exitStatus.rawValue == 65)
        #expect(ExitStatus.interrupted(bySignal: 2).rawValue == 130)
        #expect(ExitStatus.interrupted(bySignal: 15).rawValue == 143)
    }

    private func reinforcementRefusal(_ words: [String]) -> String? {
        do throws(ConfigurationError) {
            _ = try SettingReader(defaults: TrainConfiguration(stage: .rto)).read(words)
            return nil
        } catch {
            return error.description
        }
    }
}
