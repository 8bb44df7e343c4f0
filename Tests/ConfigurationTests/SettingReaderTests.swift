import Testing

@testable import Configuration

/// What the words after `rto train STAGE` make of the stage's defaults; required settings need not be there.
func configuration(_ stage: Stage, _ words: String...) throws -> TrainConfiguration {
    let request = try SettingReader(defaults: TrainConfiguration(stage: stage)).read(words + ["--print-config"])
    guard case .printedConfiguration(let configuration) = request else { throw UnexpectedRequest() }
    return configuration
}

/// The sentence with which the words are refused; nothing where they are accepted.
func refusal(_ stage: Stage, _ words: String...) -> String? {
    do throws(ConfigurationError) {
        _ = try SettingReader(defaults: TrainConfiguration(stage: stage)).read(words)
        return nil
    } catch {
        return error.description
    }
}

struct UnexpectedRequest: Error {}

@Suite struct SettingReaderTests {
    @Test("Values follow a flag or an equals sign") func values() throws {
        let result = try configuration(
            .rto,
            "--learning-rate",
            "1e-6",
            "--batch-size=32",
            "--no-shuffle",
            "--clip-range=0.1"
        )
        #expect(result.optimizer.learningRate == 1e-6)
        #expect(result.loop.batchSize == 32)
        #expect(result.data.keepsOrder)
        #expect(result.reinforcement.clipRange == 0.1)
    }

    @Test("Underscores are as good as dashes, in names and in choices") func underscores() throws {
        let result = try configuration(
            .ppo,
            "--kl_coefficient",
            "0.2",
            "--lr_schedule",
            "cosine_with_min_lr",
            "--save_rollouts"
        )
        #expect(result.reinforcement.klCoefficient == 0.2)
        #expect(result.optimizer.schedule == .cosineWithMinimum)
        #expect(result.reinforcement.savesRollouts)
    }

    @Test("Every name of OpenRLHF, the RTO code and TRL means ours") func aliases() throws {
        let result = try configuration(
            .rto,
            "--pretrain",
            "sft",
            "--dpo_pretrain",
            "dpo",
            "--reward_pretrain",
            "rm",
            "--critic_pretrain",
            "critic",
            "--prompt_data",
            "prompts.jsonl",
            "--dpo_reward_scale",
            "0.1",
            "--dpo_reward_clip",
            "0.2",
            "--init_kl_coef",
            "0.3",
            "--actor_learning_rate",
            "1e-5",
            "--train_batch_size",
            "64",
            "--generate_max_len",
            "128",
            "--prompt_max_len",
            "256",
            "--eps_clip",
            "0.4",
            "--value_clip",
            "0.5",
            "--lambd",
            "0.6",
            "--save_path",
            "run"
        )
        var expected = TrainConfiguration(stage: .rto)
        expected.model.model = "sft"
        expected.tokenReward = TokenRewardSettings()
        expected.tokenReward.dpoModel = "dpo"
        expected.tokenReward.scale = 0.1
        expected.tokenReward.clip = 0.2
        expected.reinforcement.rewardModel = "rm"
        expected.reinforcement.criticModel = "critic"
        expected.data.sources = [DataSource(path: "prompts.jsonl")]
        expected.reinforcement.klCoefficient = 0.3
        expected.optimizer.learningRate = 1e-5
        expected.loop.batchSize = 64
        expected.reinforcement.sampling.maxNewTokens = 128
        expected.reinforcement.maxPromptLength = 256
        expected.reinforcement.clipRange = 0.4
        expected.reinforcement.valueClipRange = 0.5
        expected.reinforcement.lambda = 0.6
        expected.loop.output = "run"
        #expect(result == expected)

        let trl = try configuration(
            .dpo,
            "--model_name_or_path",
            "m",
            "--dataset_name",
            "d",
            "--output_dir",
            "o",
            "--num_train_epochs",
            "3",
            "--loss_type",
            "sigmoid"
        )
        #expect(trl.model.model == "m" && trl.data.sources == [DataSource(path: "d")] && trl.loop.output == "o")
        #expect(trl.loop.epochs == 3 && trl.preference.loss == .dpo)
        let completion = try configuration(.ppo, "--max-completion-length", "9")
        #expect(completion.reinforcement.sampling.maxNewTokens == 9)
    }

    @Test("A repeatable flag collects its values, each with its share") func lists() throws {
        let result = try configuration(.sft, "--data", "a@0.5", "--seed", "1", "--data=b@home", "--data", "c")
        let expected = [DataSource(path: "a", weight: 0.5), DataSource(path: "b@home"), DataSource(path: "c")]
        #expect(result.data.sources == expected)
    }

    @Test("The last of repeated flags counts") func lastOne() throws {
        #expect(try configuration(.sft, "--seed", "1", "--seed", "2").loop.seed == 2)
    }

    @Test(
        "A switch can be negated and given a truth value",
        arguments: [
            (["--no-shuffle"], true), (["--shuffle"], false), (["--no-shuffle=false"], false),
            (["--no-shuffle", "True"], true),
            (["--shuffle", "false"], true), (["--no-shuffle", "--shuffle"], false),
        ]
    )
    func switches(words: [String], keepsOrder: Bool) throws {
        let request = try SettingReader(defaults: TrainConfiguration(stage: .sft)).read(words + ["--print-config"])
        var expected = TrainConfiguration(stage: .sft)
        expected.data.keepsOrder = keepsOrder
        #expect(request == .printedConfiguration(expected))
    }

    @Test("'none' takes an optional value back, and a negative number is a value") func none() throws {
        #expect(try configuration(.sft, "--max-steps", "3", "--max-steps", "none").loop.maxSteps == nil)
        #expect(refusal(.sft, "--max-steps", "-3") == "--max-steps wants a whole number more than 0, not '-3'")
    }

    @Test("Help is asked for anywhere") func help() throws {
        let reader = SettingReader(defaults: TrainConfiguration(stage: .sft))
        #expect(try reader.read(["--seed", "1", "--help"]) == .help)
        #expect(try reader.read(["-h"]) == .help)
    }

    @Test("A complete command line is a configuration to run") func run() throws {
        let words = ["--model", "m", "--data", "d", "--output", "o"]
        var expected = TrainConfiguration(stage: .sft)
        expected.model.model = "m"
        expected.data.sources = [DataSource(path: "d")]
        expected.loop.output = "o"
        #expect(try SettingReader(defaults: TrainConfiguration(stage: .sft)).read(words) == .run(expected))
    }
}
