import Configuration
import Foundation
import Testing

@testable import Training

@Suite("A run that was killed goes on exactly where it stopped")
struct ResumeTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// Kills a run after every step in turn; the weights must be the same bit by bit, and so must the metrics.
    private func check(_ configuration: TrainConfiguration, killedName: String = "killed") throws {
        var configuration = configuration
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        let whole = try workshop.train(configuration)
        let expected = try whole.repeatableMetrics
        #expect(expected.map { $0["step"] } == (1...expected.count).map(Double.init))
        for step in 0...expected.count {
            let killed = try whole.killed(after: step, as: "\(killedName)-\(step)")
            try resume(run: killed.path)
            #expect(try killed.modelBytes == whole.modelBytes, "killed after step \(step)")
            #expect(try killed.repeatableMetrics == expected, "killed after step \(step)")
            #expect(try killed.fileNames == whole.fileNames)
        }
    }

    @Test("supervised, over several epochs")
    func supervised() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.loop.epochs = 3
        configuration.optimizer.weightDecay = 0.1
        try check(configuration)
    }

    @Test("reward model, with evaluation and the statistics that the final model carries")
    func reward() throws {
        var configuration = try workshop.configuration(.reward)
        configuration.loop.epochs = 2
        configuration.data.evaluation = [try workshop.pairs(6, name: "held-out")]
        try check(configuration)
        let statistics = try TrainedRun(url: URL(filePath: workshop.path("run"))).lines("metrics.jsonl").last
        for step in [0, 4] {
            let text = try String(contentsOfFile: workshop.path("killed-\(step)/config.json"), encoding: .utf8)
            let whole = try String(contentsOfFile: workshop.path("run/config.json"), encoding: .utf8)
            #expect(text == whole && text.contains("\"std\""))
        }
        #expect(statistics?["eval_std"]?.number != nil)
    }

    @Test(
        "preferences, whose reference is scored once, at every step or never",
        arguments: PreferenceObjective.allCases
    )
    func preferences(loss: PreferenceObjective) throws {
        var configuration = try workshop.configuration(.dpo)
        configuration.loop.epochs = 3
        configuration.preference.loss = loss
        configuration.data.evaluation = [try workshop.pairs(3, name: "held-out")]
        try check(configuration)
    }

    @Test("single responses, whose divergence is measured anew at every step")
    func unpaired() throws {
        var configuration = try workshop.configuration(.kto)
        configuration.loop.epochs = 3
        configuration.data.evaluation = [try workshop.labelled(3, name: "held-out")]
        try check(configuration)
    }

    @Test("distillation, with its teacher beside it")
    func distillation() throws {
        var configuration = try workshop.configuration(.kd)
        configuration.loop.epochs = 2
        configuration.data.evaluation = [try workshop.examples(3, name: "held-out")]
        try check(configuration)
    }

    @Test("reward model with margins")
    func margins() throws {
        var configuration = try workshop.configuration(.reward)
        configuration.loop.epochs = 2
        configuration.rewardLoss.usesMargin = true
        configuration.data.sources = [.init(path: try workshop.marginPairs(10))]
        configuration.data.evaluation = [try workshop.marginPairs(3, name: "held-out")]
        try check(configuration)
    }

    @Test("reinforcement, in the middle of a rollout's updates too", arguments: [Configuration.Stage.ppo, .rto])
    func reinforcement(stage: Configuration.Stage) throws {
        var configuration = try workshop.configuration(stage)
        configuration.loop.maxSteps = 7
        configuration.reinforcement.klTarget = 0.5
        configuration.reinforcement.klHorizon = 50
        configuration.reinforcement.normalizeReward = true
        configuration.reinforcement.savesRollouts = true
        try check(configuration)
        let whole = TrainedRun(url: URL(filePath: workshop.path("run")))
        let metrics = try whole.metrics
        #expect(metrics[3]["kl_coefficient"] == metrics[0]["kl_coefficient"])
        #expect(metrics[4]["kl_coefficient"] != metrics[0]["kl_coefficient"])
        // Without the rollout in whose middle it stopped, a run would go on with another one.
        let states = metrics.indices.map { "checkpoint-\($0 + 1)/state.safetensors" }
        let step = try #require(
            states.firstIndex { FileManager.default.fileExists(atPath: whole.url.appending(path: $0).path) }
        )
        let damaged = try whole.killed(after: step + 1, as: "damaged")
        try FileManager.default.removeItem(at: damaged.url.appending(path: states[step]))
        let error = #expect(throws: (any Error).self) { try resume(run: damaged.path) }
        #expect(error.map { "\($0)".contains("state.safetensors") } == true)
    }

    @Test("with a moving average, pretraining texts, a frozen start and adaptive KL, with and without a critic")
    func everything() throws {
        for estimator in [AdvantageEstimator.gae, .groupNormalized] {
            var configuration = try workshop.configuration(.rto, output: estimator.rawValue)
            configuration.loop.maxSteps = 7
            configuration.reinforcement.estimate(by: estimator)
            configuration.reinforcement.sampling.samplesPerPrompt = 2
            configuration.reinforcement.klTarget = 0.5
            configuration.reinforcement.klHorizon = 50
            configuration.reinforcement.klInLoss = !estimator.needsCritic
            configuration.reinforcement.klEstimator = estimator.needsCritic ? .k1 : .k3
            configuration.reinforcement.freezeActorSteps = estimator.needsCritic ? 2 : 0
            configuration.reinforcement.emaDecay = 0.6
            configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(9))]
            try check(configuration, killedName: estimator.rawValue + "-killed")
            let averages = try (0...7).map {
                let run = TrainedRun(url: URL(filePath: workshop.path("\(estimator.rawValue)-killed-\($0)/ema")))
                return try run.modelBytes
            }
            #expect(Set(averages).count == 1)
        }
    }

    @Test("in bfloat16, from float32 masters")
    func bfloat16() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.compute.precision = .bfloat16
        try check(configuration)
    }

    @Test("a finished run is left as it is")
    func finished() throws {
        let run = try workshop.train(try workshop.configuration(.sft))
        let before = try run.fileNames
        try resume(run: run.path)
        #expect(try run.fileNames == before)
    }

    @Test("a directory without a recipe is no run")
    func noRun() throws {
        #expect(throws: TrainingError.self) { try resume(run: workshop.path("nothing")) }
        #expect(throws: TrainingError.self) { try resume(run: workshop.directory.url.path) }
    }
}
