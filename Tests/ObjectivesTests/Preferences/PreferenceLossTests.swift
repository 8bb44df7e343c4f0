import Foundation
import Objectives
import Testing
import Torch

@Suite("Preference losses")
struct PreferenceLossTests {
    private let losses: [any PreferenceLoss] = [
        DirectPreference(beta: 0.3, labelSmoothing: 0.2), IdentityPreference(beta: 0.3),
        LengthRegularizedPreference(beta: 0.3, lengthPenalty: 0.01), SimplePreference(beta: 2, gamma: 0.5),
    ]

    /// z = (−20 + 21) − (−22.5 + 21.5) = 2 and −1.5.
    private let worked = pairs(
        chosen: [-20, -35],
        rejected: [-22.5, -30],
        referenceChosen: [-21, -34],
        referenceRejected: [-21.5, -30.5]
    )

    @Test("DPO and conservative DPO by hand")
    func direct() {
        let outcome = DirectPreference(beta: 0.1).evaluate(worked)
        expectClose(outcome.losses.doubles, [log1p(exp(-0.2)), log1p(exp(0.15))])
        expectClose(outcome.chosenRewards.doubles, [0.1, -0.1])
        expectClose(outcome.rejectedRewards.doubles, [-0.1, 0.05])
        let smoothed = DirectPreference(beta: 0.1, labelSmoothing: 0.25).evaluate(worked).losses
        expectClose(smoothed.doubles, [0.2, -0.15].map { 0.75 * log1p(exp(-$0)) + 0.25 * log1p(exp($0)) })
    }

    @Test("DPO at policy = reference is log 2 for any β and smoothing")
    func directAtReference() {
        let same = pairs(
            chosen: [-3, -8],
            rejected: [-5, -1],
            referenceChosen: [-3, -8],
            referenceRejected: [-5, -1]
        )
        for loss in [DirectPreference(beta: 0.1), DirectPreference(beta: 7, labelSmoothing: 0.4)] {
            expectClose(loss.evaluate(same).losses.doubles, [log(2), log(2)])
        }
    }

    @Test("only differences count: shifting policy and reference alike changes neither loss nor rewards")
    func shift() {
        var shifted = worked
        shifted.chosen = shifted.chosen - 100
        shifted.referenceChosen = shifted.referenceChosen.map { $0 - 100 }
        for loss in losses where loss.referenceNeed == .logProbabilities {
            expectClose(loss.evaluate(shifted).losses.doubles, loss.evaluate(worked).losses.doubles)
        }
    }

    @Test("IPO by hand, and its minimum 0 at z = 1/(2β)")
    func identity() {
        expectClose(IdentityPreference(beta: 0.1).evaluate(worked).losses.doubles, [9, 42.25])
        let optimum = pairs(chosen: [-1], rejected: [-6], referenceChosen: [-2], referenceRejected: [-2])
        optimum.chosen.requiresGradient = true
        let losses = IdentityPreference(beta: 0.1).evaluate(optimum).losses
        #expect(losses.doubles == [0])
        losses.sum().backward()
        #expect(optimum.chosen.gradient?.doubles == [0])
    }

    @Test("averaged IPO is IPO on log-ratios a token")
    func averagedIdentity() {
        let long = pairs(
            chosen: [-10],
            rejected: [-9],
            referenceChosen: [-12],
            referenceRejected: [-3],
            lengths: [(4, 3)]
        )
        let short = pairs(chosen: [-2.5], rejected: [-3], referenceChosen: [-3], referenceRejected: [-1])
        let averaged = IdentityPreference(beta: 0.5, averaged: true).evaluate(long)
        expectClose(averaged.losses.doubles, [(0.5 + 2 - 1) * (0.5 + 2 - 1)])
        expectClose(averaged.losses.doubles, IdentityPreference(beta: 0.5).evaluate(short).losses.doubles)
    }

    @Test("R-DPO is DPO at equal lengths, and a longer chosen response has a smaller gradient")
    func lengthRegularized() {
        let loss = LengthRegularizedPreference(beta: 0.1, lengthPenalty: 0.05)
        expectClose(loss.evaluate(worked).losses.doubles, DirectPreference(beta: 0.1).evaluate(worked).losses.doubles)
        func gradient(_ lengths: (Int, Int)) -> Double {
            let pair = pairs(
                chosen: [-4],
                rejected: [-4],
                referenceChosen: [-4],
                referenceRejected: [-4],
                lengths: [lengths]
            )
            pair.chosen.requiresGradient = true
            loss.evaluate(pair).losses.sum().backward()
            return pair.chosen.gradient?.scalar ?? .nan
        }
        // −β·σ(−α·surplus)
        expectClose([gradient((30, 10))], [-0.1 / (1 + exp(1))])
        #expect(abs(gradient((30, 10))) < abs(gradient((10, 10))))
    }

    @Test("SimPO by hand, and it does not change when both responses are repeated")
    func simple() {
        let loss = SimplePreference(beta: 2, gamma: 0.5)
        let once = pairs(chosen: [-3], rejected: [-8], lengths: [(3, 4)])
        let twice = pairs(chosen: [-6], rejected: [-16], lengths: [(6, 8)])
        let outcome = loss.evaluate(once)
        expectClose(outcome.losses.doubles, [log1p(exp(-1.5))])
        expectClose(outcome.chosenRewards.doubles + outcome.rejectedRewards.doubles, [-2, -4])
        expectClose(loss.evaluate(twice).losses.doubles, outcome.losses.doubles)
        let hinge = SimplePreference(beta: 2, gamma: 1.25, link: .hinge)
        expectClose(hinge.evaluate(once).losses.doubles, [0.25])
        #expect(loss.referenceNeed == .none)
    }

    @Test("SimPO does not depend on the reference")
    func simpleWithoutReference() {
        let loss = SimplePreference(beta: 2, gamma: 0.5)
        var other = worked
        other.referenceChosen = other.referenceChosen.map { $0 * 3 }
        #expect(loss.evaluate(worked).losses.doubles == loss.evaluate(other).losses.doubles)
    }

    @Test("R-DPO without a price and TDPO₂ without divergences are DPO to the bit, values and gradients")
    func degenerate() {
        func run(_ loss: any PreferenceLoss) -> [[Double]] {
            var pairs = worked
            pairs.divergences = (Tensor([3.0, 1]), Tensor([0.5, 2]))
            pairs.chosenLengths = [7, 3]
            let leaves = [pairs.chosen, pairs.rejected].map { $0.clone() }
            for leaf in leaves { leaf.requiresGradient = true }
            (pairs.chosen, pairs.rejected) = (leaves[0], leaves[1])
            let losses = loss.evaluate(pairs).losses
            losses.sum().backward()
            return [losses.doubles] + leaves.compactMap { $0.gradient?.doubles }
        }
        let expected = run(DirectPreference(beta: 0.3))
        #expect(run(LengthRegularizedPreference(beta: 0.3, lengthPenalty: 0)) == expected)
        #expect(run(TokenLevelPreference(beta: 0.3, form: .second(alpha: 0))) == expected)
    }
}
