import Foundation
import Objectives
import Testing
import Torch

@Suite("Preference losses with the chosen response's likelihood")
struct LikelihoodPreferenceTests {
    private let worked = pairs(
        chosen: [-6],
        rejected: [-8],
        referenceChosen: [-5],
        referenceRejected: [-9],
        lengths: [(3, 2)]
    )

    @Test("the term is −log π(w) a token, for every loss, and touches no reward")
    func term() {
        let losses: [any PreferenceLoss] = [
            DirectPreference(beta: 0.1), IdentityPreference(beta: 0.1), SimplePreference(beta: 2.5, gamma: 0.5),
            LengthRegularizedPreference(beta: 0.1, lengthPenalty: 0.01), OddsRatioPreference(lambda: 0.1),
        ]
        for loss in losses {
            let (alone, whole) = (loss.evaluate(worked), LikelihoodPreference(loss, coefficient: 0.25).evaluate(worked))
            expectClose((whole.losses - alone.losses).doubles, [0.5])
            #expect(whole.chosenRewards.doubles == alone.chosenRewards.doubles)
            #expect(LikelihoodPreference(loss, coefficient: 1).referenceNeed == loss.referenceNeed)
        }
    }

    @Test("ORPO by hand")
    func oddsRatio() {
        // a = −2 and −4: odds e⁻²/(1 − e⁻²) = 0.15652 and e⁻⁴/(1 − e⁻⁴) = 0.018657, whose ratio is r = 1 + e² = 8.38906;
        // −log σ(log r) = log(1 + 1/r) = 0.112617.
        let outcome = OddsRatioPreference(lambda: 0.5).evaluate(worked)
        expectClose(outcome.losses.doubles, [2 + 0.5 * log(1 + 1 / (1 + exp(2)))])
        expectClose(outcome.losses.doubles, [2 + 0.5 * 0.1126170], (0, 1e-6))
        expectClose(outcome.chosenRewards.doubles + outcome.rejectedRewards.doubles, [-1, -2])
    }

    @Test("ORPO of equal responses is their likelihood and λ·log 2; certainty is finite")
    func oddsRatioLimits() {
        let same = pairs(chosen: [-6], rejected: [-4], lengths: [(3, 2)])
        expectClose(OddsRatioPreference(lambda: 0.5).evaluate(same).losses.doubles, [2 + 0.5 * log(2)])
        let certain = pairs(chosen: [0], rejected: [-1e4], lengths: [(3, 2)])
        certain.chosen.requiresGradient = true
        let losses = OddsRatioPreference(lambda: 0.5).evaluate(certain).losses
        losses.sum().backward()
        #expect(losses.scalar.isFinite && certain.chosen.gradient?.scalar.isFinite == true)
    }
}
