import Configuration
import Foundation
import Models
import Objectives
import Testing
import Torch

@testable import Training

@Suite("What preference losses see of policy and reference")
struct PreferenceScorerTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test("settings and equations agree on who needs a reference", arguments: PreferenceObjective.allCases)
    func need(loss: PreferenceObjective) {
        var settings = PreferenceSettings()
        settings.loss = loss
        #expect((settings.objective.referenceNeed == .none) == loss.isReferenceFree)
        settings.nllCoefficient = 1
        #expect((settings.objective.referenceNeed == .none) == loss.isReferenceFree)
    }

    @Test("every setting reaches its equation")
    func objectives() {
        func objective(_ loss: PreferenceObjective, _ change: (inout PreferenceSettings) -> Void) -> any PreferenceLoss
        {
            var settings = PreferenceSettings()
            settings.loss = loss
            change(&settings)
            return settings.objective
        }
        let hinge = objective(.simpo) { ($0.simpoHinge, $0.simpoGamma) = (true, 0.7) } as? SimplePreference
        #expect(hinge == SimplePreference(beta: 2.5, gamma: 0.7, link: .hinge))
        let smooth = objective(.simpo) { $0.labelSmoothing = 0.1 } as? SimplePreference
        #expect(smooth == SimplePreference(beta: 2.5, gamma: 0.5, link: .logistic(labelSmoothing: 0.1)))
        let average = objective(.ipo) { $0.ipoAverage = true } as? IdentityPreference
        #expect(average == IdentityPreference(beta: 0.1, averaged: true))
        let length = objective(.rdpo) { $0.lengthAlpha = 0.3 } as? LengthRegularizedPreference
        #expect(length == LengthRegularizedPreference(beta: 0.1, lengthPenalty: 0.3))
        let divergence = objective(.tdpo2) { $0.tdpoAlpha = 0.6 } as? TokenLevelPreference
        #expect(divergence == TokenLevelPreference(beta: 0.1, form: .second(alpha: 0.6)))
        #expect(objective(.orpo) { $0.beta = 0.4 } as? OddsRatioPreference == OddsRatioPreference(lambda: 0.4))
        let likely = objective(.dpo) { $0.nllCoefficient = 0.2 } as? LikelihoodPreference
        #expect(likely?.coefficient == 0.2 && likely?.loss as? DirectPreference == DirectPreference(beta: 0.1))
    }

    @Test("a loss without a reference loads none", arguments: [PreferenceObjective.simpo, .orpo])
    func referenceFree(loss: PreferenceObjective) throws {
        var configuration = try workshop.configuration(.dpo)
        configuration.preference.loss = loss
        // Were it loaded, this would fail.
        configuration.model.referenceModel = workshop.path("nowhere")
        let run = try workshop.train(configuration)
        #expect(try run.metrics.count == 2)
    }

    @Test("shared prompts and ragged rows have the divergences of each row alone")
    func divergences() throws {
        let policy = try LanguageModel.load(
            URL(filePath: try workshop.languageModel("policy", seed: 1)),
            .trainable(),
            precision: .float32
        )
        let reference = try LanguageModel.load(
            URL(filePath: try workshop.languageModel("other", seed: 2, ["hidden_size": 24, "num_attention_heads": 4])),
            .frozen(),
            precision: .float32
        )
        let rows = [(3, 4), (3, 1), (2, 5), (4, 2)].enumerated().map { index, lengths in
            ResponseBatch.Row(
                prompt: Workshop.ids(lengths.0, index / 2),
                response: Workshop.ids(lengths.1, index + 40)
            )
        }
        let scorer = PreferenceScorer(policy: policy, reference: .distributions(reference))
        let together = scorer(ResponseBatch(rows), referenceSums: nil)
        for pair in 0..<2 {
            let alone = rows[2 * pair..<2 * pair + 2].map { row -> Double in
                let batch = ResponseBatch([row])
                let (p, q) = (
                    policy.logits(batch.batch).rows(batch.predictors).logSoftmax(),
                    reference.logits(batch.batch).rows(batch.predictors).logSoftmax()
                )
                return (q.exp() * (q - p)).sum().scalar
            }
            let found = try #require(together.divergences)
            #expect(abs(found.chosen.doubles[pair] - alone[0]) < 1e-5)
            #expect(abs(found.rejected.doubles[pair] - alone[1]) < 1e-5)
        }
        #expect(together.divergences?.chosen.requiresGradient == true)
    }

    @Test("R-DPO without a price is DPO to the bit, and so is TDPO₂ without divergences but for rounding")
    func degenerate() throws {
        func run(_ loss: PreferenceObjective) throws -> TrainedRun {
            var configuration = try workshop.configuration(.dpo, output: loss.rawValue)
            configuration.model.referenceModel = try workshop.languageModel("base", seed: 9)
            configuration.preference.loss = loss
            configuration.preference.lengthAlpha = 0
            configuration.preference.tdpoAlpha = 0
            return try workshop.train(configuration)
        }
        let expected = try run(.dpo)
        let priceless = try run(.rdpo)
        #expect(try priceless.modelBytes == expected.modelBytes)
        #expect(try priceless.repeatableMetrics == expected.repeatableMetrics)
        #expect(try largestDifference(run(.tdpo2), expected) < 1e-6)
    }

    @Test("at policy = reference a step of TDPO costs log 2 and diverges by nothing", arguments: ["tdpo1", "tdpo2"])
    func atReference(name: String) throws {
        var configuration = try workshop.configuration(.dpo)
        configuration.preference.loss = try #require(PreferenceObjective(rawValue: name))
        configuration.loop.maxSteps = 1
        let metrics = try workshop.train(configuration).metrics[0]
        #expect(abs((metrics["loss"] ?? .nan) - 0.6931472) < 1e-6)
        #expect(metrics["rewards/margins"] == 0)
    }
}
