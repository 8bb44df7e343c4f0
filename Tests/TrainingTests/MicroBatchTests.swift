import Configuration
import Foundation
import Testing

@testable import Training

@Suite("Micro-batches change memory and time and nothing else")
struct MicroBatchTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// Trains with one row at a time, with a few and with all at once.
    private func check(_ configuration: TrainConfiguration) throws {
        let runs = try [1, 24, 8192].map { budget in
            var configuration = configuration
            configuration.loop.microBatchTokens = budget
            configuration.loop.output += "-\(budget)"
            configuration.loop.saveEvery = 2
            return try workshop.train(configuration)
        }
        let expected = try runs[2].repeatableMetrics
        #expect(!expected.isEmpty)
        for run in runs.dropLast() {
            for (found, expected) in zip(try run.repeatableMetrics, expected) {
                #expect(found.keys == expected.keys)
                // A shared prompt that a cut falls into is computed twice.
                for (name, value) in expected where name != "num_tokens" {
                    let difference = abs((found[name] ?? .nan) - value)
                    #expect(difference <= 1e-5 + 1e-4 * abs(value), "\(name) at step \(expected["step"] ?? 0)")
                }
            }
            #expect(try largestDifference(run, runs[2]) < 1e-5)
            if configuration.stage.isReinforcement && configuration.reinforcement.advantage.needsCritic {
                #expect(try largestDifference(run, runs[2], "checkpoint-2/critic/model.safetensors") < 1e-5)
            }
        }
    }

    @Test("supervised", arguments: [LossNormalization.token, .sequence])
    func supervised(normalization: LossNormalization) throws {
        var configuration = try workshop.configuration(.sft)
        configuration.optimizer.lossNormalization = normalization
        configuration.data.evaluation = [try workshop.examples(5, name: "held-out")]
        try check(configuration)
    }

    @Test("pairs", arguments: [Configuration.Stage.reward, .dpo])
    func pairs(stage: Configuration.Stage) throws {
        var configuration = try workshop.configuration(stage)
        configuration.loop.epochs = 2
        configuration.data.evaluation = [try workshop.pairs(3, name: "held-out")]
        try check(configuration)
    }

    @Test("every loss on pairs", arguments: PreferenceObjective.allCases)
    func preferences(loss: PreferenceObjective) throws {
        var configuration = try workshop.configuration(.dpo)
        configuration.model.referenceModel = loss.isReferenceFree ? nil : try workshop.languageModel("base", seed: 9)
        configuration.preference.loss = loss
        configuration.preference.nllCoefficient = 0.1
        configuration.data.evaluation = [try workshop.pairs(3, name: "held-out")]
        try check(configuration)
    }

    @Test("margins of a reward model")
    func margins() throws {
        var configuration = try workshop.configuration(.reward)
        configuration.rewardLoss.usesMargin = true
        configuration.data.sources = [.init(path: try workshop.marginPairs(10))]
        configuration.data.evaluation = [try workshop.marginPairs(3, name: "held-out")]
        try check(configuration)
    }

    @Test("single responses, whose divergence is of the whole batch")
    func unpaired() throws {
        var configuration = try workshop.configuration(.kto)
        configuration.loop.epochs = 2
        configuration.unpaired.desirableWeight = 1.5
        configuration.data.evaluation = [try workshop.labelled(5, name: "held-out")]
        try check(configuration)
    }

    @Test("a teacher's distributions", arguments: [LossNormalization.token, .sequence])
    func distillation(normalization: LossNormalization) throws {
        var configuration = try workshop.configuration(.kd)
        configuration.optimizer.lossNormalization = normalization
        configuration.data.evaluation = [try workshop.examples(5, name: "held-out")]
        try check(configuration)
    }

    @Test("rollouts without a critic, with pretraining texts, KL in the loss and Dr. GRPO's constant")
    func groups() throws {
        var configuration = try workshop.configuration(.rto)
        configuration.loop.maxSteps = 6
        configuration.optimizer.lossNormalization = .constant
        configuration.reinforcement.estimate(by: .groupCentered)
        configuration.reinforcement.sampling.samplesPerPrompt = 4
        configuration.reinforcement.klInLoss = true
        configuration.reinforcement.klEstimator = .k3
        configuration.reinforcement.ptxSources = [.init(path: try workshop.examples(9))]
        try check(configuration)
    }

    @Test("rollouts", arguments: [Configuration.Stage.ppo, .rto], [LossNormalization.token, .sequence])
    func rollouts(stage: Configuration.Stage, normalization: LossNormalization) throws {
        var configuration = try workshop.configuration(stage)
        configuration.loop.maxSteps = 6
        configuration.optimizer.lossNormalization = normalization
        configuration.reinforcement.sampling.samplesPerPrompt = 2
        try check(configuration)
    }
}
