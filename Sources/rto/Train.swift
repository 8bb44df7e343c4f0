import ArgumentParser
import Configuration
import Training

/// `rto train`: one stage for each subcommand.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train one stage.",
        subcommands: [SFT.self, Reward.self, DPO.self, KTO.self, KD.self, PPO.self, RTOStage.self]
    )

    struct SFT: StageCommand {
        static let stage = Stage.sft
        static let configuration = describe("sft")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct Reward: StageCommand {
        static let stage = Stage.reward
        static let configuration = describe("reward")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct DPO: StageCommand {
        static let stage = Stage.dpo
        static let configuration = describe("dpo")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct KTO: StageCommand {
        static let stage = Stage.kto
        static let configuration = describe("kto")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct KD: StageCommand {
        static let stage = Stage.kd
        static let configuration = describe("kd")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct PPO: StageCommand {
        static let stage = Stage.ppo
        static let configuration = describe("ppo")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }

    struct RTOStage: StageCommand {
        static let stage = Stage.rto
        static let configuration = describe("rto")
        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []
    }
}

/// A subcommand of `rto train`.
protocol StageCommand: SettingsCommand where Configuration == TrainConfiguration {
    static var stage: Stage { get }
}

extension StageCommand {
    static var defaults: TrainConfiguration { TrainConfiguration(stage: stage) }

    func run(_ configuration: TrainConfiguration) throws {
        var recipe = Recipe(
            configuration: namingInputs(configuration),
            commandLine: ["rto"] + CommandLine.arguments.dropFirst(),
            versions: [Recipe.Version("rto", programVersion)]
        )
        recipe.hubCommits = hubCommits()
        try engine.train(configuration, recipe: recipe)
    }
}
