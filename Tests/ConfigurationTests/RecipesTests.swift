import Foundation
import TestSupport
import Testing

@testable import Configuration

/// The files of `Recipes/`.
private enum Recipes {
    static let directory = URL(filePath: #filePath).appending(path: "../../../Recipes").standardizedFileURL

    /// Every recipe as `folder/name`.
    static let names: [String] = {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        return folders.flatMap { folder in
            let files = try? FileManager.default.contentsOfDirectory(atPath: directory.appending(path: folder).path)
            return (files ?? []).filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0.dropLast(".yaml".count))" }
        }.sorted()
    }()

    static func path(_ name: String) -> String { directory.appending(path: name + ".yaml").path }

    /// What `rto train STAGE --config FILE` would run.
    static func configuration(_ name: String) throws -> TrainConfiguration {
        let stage = try #require(try ConfigurationFile(path: path(name)).stage.flatMap(Stage.init))
        let reader = SettingReader(defaults: TrainConfiguration(stage: stage))
        guard case .run(let configuration) = try reader.read(["--config", path(name)]) else {
            throw ConfigurationError.combination("\(name) does not run")
        }
        return configuration
    }
}

/// One row of the paper's appendix D, written down once: what its recipes must say.
private struct PaperRow {
    let file: String
    let stage: Stage
    let rate: Double
    let batch: Int
    var loss: PreferenceObjective?
    var beta: Double?
    var placement: TokenRewardPlacement?
    var clip: Double?
    var advantage: AdvantageEstimator?

    static let all = [
        PaperRow(file: "sft", stage: .sft, rate: 5e-6, batch: 256),
        PaperRow(file: "reward-8b", stage: .reward, rate: 1e-6, batch: 128),
        PaperRow(file: "reward-1b", stage: .reward, rate: 1e-6, batch: 128),
        PaperRow(file: "dpo", stage: .dpo, rate: 5e-7, batch: 256, loss: .dpo, beta: 0.1),
        PaperRow(file: "r-dpo", stage: .dpo, rate: 5e-7, batch: 256, loss: .rdpo, beta: 0.1),
        PaperRow(file: "simpo", stage: .dpo, rate: 5e-7, batch: 256, loss: .simpo, beta: 2.5),
        PaperRow(file: "tdpo", stage: .dpo, rate: 5e-7, batch: 256, loss: .tdpo2, beta: 0.1),
        PaperRow(file: "ppo", stage: .ppo, rate: 8e-7, batch: 128, advantage: .gae),
        rto("rto", .token), rto("rto-unclipped", .token, clip: 0), rto("semi-rto", .sentence), rto("ddpo", .end),
        rto("rs-ppo", .shaping),
        PaperRow(file: "reinforce-plus-plus", stage: .ppo, rate: 5e-7, batch: 128, advantage: .reinforce),
        rto("rto-reinforce-plus-plus", .token, advantage: .reinforce),
    ]

    private static func rto(
        _ file: String,
        _ placement: TokenRewardPlacement,
        clip: Double = 0.05,
        advantage: AdvantageEstimator = .gae
    ) -> PaperRow {
        PaperRow(
            file: file,
            stage: .rto,
            rate: 5e-7,
            batch: 128,
            placement: placement,
            clip: clip,
            advantage: advantage
        )
    }
}

@Suite struct RecipesTests {
    @Test("Every recipe resolves, says its stage and its command, and writes where no other does")
    func resolves() throws {
        #expect(Recipes.names.count > 40)
        var outputs: Set<String> = []
        for name in Recipes.names {
            let configuration = try Recipes.configuration(name)
            #expect(outputs.insert(configuration.loop.output).inserted, "\(name)")
            let text = try String(contentsOfFile: Recipes.path(name), encoding: .utf8)
            #expect(text.contains("\n# \(configuration.command) --config Recipes/\(name).yaml\nstage:"), "\(name)")
            let printed = ConfigurationText.printed(configuration)
            let directory = try TemporaryDirectory()
            let again = try directory.write("printed.yaml", printed)
            let reader = SettingReader(defaults: TrainConfiguration(stage: configuration.stage))
            #expect(try reader.read(["--config", again]) == .run(configuration), "\(name)")
        }
    }

    @Test("What a recipe starts from is a hub's, or what another recipe of its folder writes")
    func order() throws {
        let written = Set(try Recipes.names.map { try Recipes.configuration($0).loop.output })
        for name in Recipes.names {
            let configuration = try Recipes.configuration(name)
            let models =
                [
                    configuration.model.model, configuration.tokenReward.dpoModel,
                    configuration.reinforcement.criticModel,
                ]
                + configuration.reinforcement.rewardModels.map(\.path)
            for model in models.compactMap(\.self) where model.hasPrefix("runs/") {
                #expect(written.contains(model), "\(name) starts from \(model)")
            }
        }
    }

    @Test("The readme names every recipe") func readme() throws {
        let url = Recipes.directory.appending(path: "README.md")
        let text = try String(contentsOf: url, encoding: .utf8)
        for name in Recipes.names {
            let file = name.split(separator: "/").last ?? ""
            #expect(text.contains("`\(file)`"), "\(name)")
        }
    }

    @Test("The numbers are those of the paper's appendix", arguments: ["llama-3-8b", "llama-3.2-1b"])
    func numbers(folder: String) throws {
        var left = Set(Recipes.names.filter { $0.hasPrefix(folder + "/") })
        for row in PaperRow.all where folder == "llama-3-8b" || row.file != "reward-8b" {
            let name = folder + "/" + row.file
            #expect(left.remove(name) != nil, "\(name) is missing")
            let recipe = try Recipes.configuration(name)
            #expect(recipe.stage == row.stage && recipe.loop.batchSize == row.batch, "\(name)")
            #expect(recipe.optimizer.learningRate == row.rate && recipe.loop.epochs == 1, "\(name)")
            let optimizer = recipe.optimizer
            #expect(optimizer.beta1 == 0.9 && optimizer.beta2 == 0.95 && optimizer.weightDecay == 0, "\(name)")
            #expect(optimizer.schedule == .cosineWithMinimum && optimizer.warmupRatio == 0.03, "\(name)")
            #expect(optimizer.minimumRatio == 0.1 && optimizer.maxGradientNorm == 1, "\(name)")
            #expect(recipe.compute.precision == .bfloat16, "\(name)")
            if !row.stage.isReinforcement { #expect(recipe.data.maxLength == 2048, "\(name)") }
            if let loss = row.loss { #expect(recipe.preference.loss == loss, "\(name)") }
            if let beta = row.beta { #expect(recipe.preference.beta == beta, "\(name)") }
            if let advantage = row.advantage { checkReinforcement(recipe, advantage, folder, row.file) }
            if let placement = row.placement {
                #expect(recipe.tokenReward.placement == placement && recipe.tokenReward.scale == 0.05, "\(name)")
                #expect(recipe.tokenReward.clip == row.clip && recipe.tokenReward.dpoModel != nil, "\(name)")
            }
        }
        #expect(left.isEmpty, "no row of the paper says what these must say: \(left)")
        #expect(try Recipes.configuration(folder + "/r-dpo").preference.lengthAlpha == 0.001)
        #expect(try Recipes.configuration(folder + "/simpo").preference.simpoGamma == 0.5)
        #expect(try Recipes.configuration(folder + "/tdpo").preference.tdpoAlpha == 0.2)
    }

    private func checkReinforcement(
        _ recipe: TrainConfiguration,
        _ advantage: AdvantageEstimator,
        _ folder: String,
        _ file: String
    ) {
        let settings = recipe.reinforcement
        #expect(settings.advantage == advantage && settings.klCoefficient == 0.01, "\(file)")
        #expect(settings.rewardCoefficient == 1 && settings.normalizeReward && settings.rewardClip == 10, "\(file)")
        #expect(settings.maxPromptLength == 1024 && settings.sampling.maxNewTokens == 1024, "\(file)")
        // "PPO update step 8": eight updates of 128 rollouts.
        #expect(settings.rolloutBatchSize == 8 * recipe.loop.batchSize && settings.epochs == 1, "\(file)")
        #expect(settings.clipRange == 0.2 && settings.gamma == 1 && settings.sampling.temperature == 1, "\(file)")
        // The table's PPO has the reward model of 8 billion parameters, RTO that of 1 billion.
        let large = folder == "llama-3-8b" && recipe.stage == .ppo
        #expect(settings.rewardModel == "runs/\(folder)/" + (large ? "reward-8b" : "reward-1b"), "\(file)")
        guard advantage == .gae else { return }
        #expect(settings.lambda == 0.95 && settings.criticLearningRate == 9e-6, "\(file)")
        #expect(settings.valueClipRange == 0.2 && settings.criticModel == settings.rewardModel, "\(file)")
    }
}
