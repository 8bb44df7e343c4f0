import Foundation
import Objectives
import Testing
import Torch

@Suite("KTO")
struct UnpairedPreferenceTests {
    private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    @Test("by hand: a good and a bad response, each with its weight")
    func byHand() {
        let loss = UnpairedPreference(beta: 0.5, desirableWeight: 1.5, undesirableWeight: 0.25)
        let found = loss.evaluate(logRatios: Tensor([2.0, -3.0]), labels: [true, false], divergence: 0.4)
        // 1 − σ(½·1.6) and 1 − σ(½·3.4)
        expectClose(found.losses.doubles, [1.5 * (1 - logistic(0.8)), 0.25 * (1 - logistic(1.7))])
        expectClose(found.rewards.doubles, [1, -1.5])
    }

    @Test("the divergence is the mean log-ratio of mismatched rows, and never negative")
    func divergence() {
        #expect(UnpairedPreference.divergence([1, 2, -1.5]) == 0.5)
        #expect(UnpairedPreference.divergence([1, -2]) == 0)
        #expect(UnpairedPreference.divergence([]) == 0)
    }

    @Test("at policy = reference every response costs half its weight; turning label and sign changes nothing")
    func identities() {
        let loss = UnpairedPreference(beta: 0.1, desirableWeight: 2, undesirableWeight: 2)
        let start = loss.evaluate(logRatios: Tensor([0.0, 0]), labels: [true, false], divergence: 0)
        #expect(start.losses.doubles == [1, 1])
        let good = loss.evaluate(logRatios: Tensor([3.0]), labels: [true], divergence: 1)
        let bad = loss.evaluate(logRatios: Tensor([-1.0]), labels: [false], divergence: 1)
        expectClose(good.losses.doubles, bad.losses.doubles)
    }

    @Test("equals OpenRLHF's loss, rewards, divergence and gradients", .needsSharedFixtures)
    func reference() throws {
        for precision in Precision.allCases {
            // The file's other case is of a loss that the reference never uses.
            try Fixture("kto_loss").run(precision, where: { $0.json["inputs"]?["pk"] != nil }) { recorded in
                func ratios(_ policy: String, _ reference: String) throws -> Tensor {
                    try recorded.input(policy) - recorded.input(reference)
                }
                let (good, bad) = (try ratios("pw", "rw"), try ratios("pl", "rl"))
                let divergence = UnpairedPreference.divergence(try ratios("pk", "rk").doubles)
                let loss = UnpairedPreference(
                    beta: recorded.number("beta") ?? 0.1,
                    desirableWeight: recorded.number("dw") ?? 1,
                    undesirableWeight: recorded.number("uw") ?? 1
                )
                let labels = Array(repeating: true, count: good.count) + Array(repeating: false, count: bad.count)
                let found = loss.evaluate(
                    logRatios: Tensor.concatenated([good, bad]),
                    labels: labels,
                    divergence: divergence
                )
                // Zero times the mismatched rows: their recorded gradient is zero.
                let mean = try found.losses.mean() + (ratios("pk", "rk") * 0).sum()
                try recorded.expect(mean, equals: "loss")
                try recorded.expect(Tensor([divergence]), equals: "KL")
                try recorded.expect(found.rewards.narrowed(0, 0..<good.count), equals: "chosen_rewards")
                try recorded.expect(found.rewards.narrowed(0, good.count..<labels.count), equals: "rejected_rewards")
                try recorded.expectGradients(of: mean)
            }
        }
    }
}
