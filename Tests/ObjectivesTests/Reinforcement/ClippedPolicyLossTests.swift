import Foundation
import Objectives
import Testing
import Torch

@Suite("clippedPolicyLoss")
struct ClippedPolicyLossTests {
    private func loss(_ new: Tensor, old: [Double], advantages: [Double], weights: [Double]? = nil) -> PolicyLoss {
        let count = new.count
        return clippedPolicyLoss(
            new: new,
            old: Tensor(old),
            advantages: Tensor(advantages),
            weights: Tensor(weights ?? Array(repeating: 1 / Double(count), count: count)),
            clip: PolicyClip(0.2)
        )
    }

    @Test("by hand: ratios 1.5, 0.5, 1.1 and 1.5 with advantages 1, −1, 2 and −1")
    func byHand() {
        let result = loss(
            Tensor([log(1.5), log(0.5), log(1.1), log(1.5)]),
            old: [0, 0, 0, 0],
            advantages: [1, -1, 2, -1]
        )
        expectClose([result.loss.scalar], [(-1.2 + 0.8 - 2.2 + 1.5) / 4])
        #expect(result.clipFraction.scalar == 0.5)
        expectClose([result.meanRatio.scalar], [1.15])
        let logarithms = log(1.5) + log(0.5) + log(1.1) + log(1.5)
        expectClose([result.approximateKL.scalar], [0.15 - logarithms / 4])
    }

    @Test("at ratio 1 the gradient is −w·Â and nothing is clipped")
    func gradientAtOne() {
        let new = Tensor([-1, -2, -0.5] as [Double])
        new.requiresGradient = true
        let result = loss(new, old: [-1, -2, -0.5], advantages: [3, -1, 0.5], weights: [0.5, 0.25, 0.25])
        result.loss.backward()
        expectClose(new.gradient?.doubles ?? [], [-1.5, 0.25, -0.125])
        expectClose(
            [result.loss, result.clipFraction, result.approximateKL, result.meanRatio].map(\.scalar),
            [-1.375, 0, 0, 1]
        )
        #expect(!result.meanRatio.requiresGradient && !result.approximateKL.requiresGradient)
    }

    @Test("scales with the advantages, and adds up over micro-batches with its statistics")
    func scaling() {
        let (new, old, advantages) = ([-1, -3, -0.5, -2], [-1.4, -2, -0.6, -2.5], [1, -2, 0.5, -0.25])
        let rows = RaggedRows(lengths: [3, 1])
        let weights = LossWeights.weights(rows, normalization: .sequence, batch: BatchTotals(rows)).doubles
        let whole = loss(Tensor(new), old: old, advantages: advantages, weights: weights)
        let fivefold = loss(Tensor(new), old: old, advantages: advantages.map { 5 * $0 }, weights: weights)
        expectClose([fivefold.loss.scalar], [5 * whole.loss.scalar])
        let parts = [0..<3, 3..<4].map { part in
            loss(
                Tensor(Array(new[part])),
                old: Array(old[part]),
                advantages: Array(advantages[part]),
                weights: Array(weights[part])
            )
        }
        for statistic in [\PolicyLoss.loss, \.clipFraction, \.approximateKL, \.meanRatio] {
            expectClose([parts.reduce(0) { $0 + $1[keyPath: statistic].scalar }], [whole[keyPath: statistic].scalar])
        }
    }

    @Test("a clipped token has gradient 0 even where the ratio overflows float32")
    func overflow() {
        let new = Tensor([-1, -1] as [Float])
        new.requiresGradient = true
        let result = loss(new, old: [-200, -1], advantages: [1, 1])
        result.loss.backward()
        expectClose([result.loss.scalar], [-1.1])
        expectClose(new.gradient?.doubles ?? [], [0, -0.5])
    }

    @Test(
        "equals the reference's: mean over rows of each row's mean",
        .needsSharedFixtures
    )
    func reference() throws {
        for precision in Precision.allCases {
            try Fixture("policy_loss_rto").run(precision) { recorded in
                let result = try policyLoss(recorded, PolicyClip(recorded.number("clip_eps") ?? 0.2)) {
                    LossWeights.weights($0, normalization: .sequence, batch: BatchTotals($0))
                }
                try recorded.expect(result.loss, equals: "loss")
                try recorded.expectGradients(of: result.loss)
            }
        }
    }

    @Test("equals OpenRLHF's, by token and by sequence, with both clips", .needsSharedFixtures)
    func openRLHF() throws {
        for precision in Precision.allCases {
            try Fixture("policy_loss_orl").run(precision, where: { !Self.skipped.contains($0.name) }) { recorded in
                let clip = PolicyClip(
                    recorded.number("clip_eps_low") ?? 0.2,
                    upper: recorded.number("clip_eps_high"),
                    dual: recorded.number("dual_clip"),
                    logRatio: 20
                )
                let result = try policyLoss(recorded, clip, recorded.openRLHFWeights)
                // Its row means divide by length + 1e-8.
                try recorded.expect(result.loss, equals: "loss", relative: 1e-7)
                try recorded.expectGradients(of: result.loss, relative: 1e-7)
                guard recorded.json["outputs"]?["clip_ratio"] != nil else { return }
                let tokens = try policyLoss(recorded, clip) {
                    LossWeights.weights($0, normalization: .token, batch: BatchTotals($0))
                }
                try recorded.expect(tokens.clipFraction, equals: "clip_ratio")
                // Its estimate is the mean of −log q; ours adds the mean of q − 1, whose expectation is 0.
                guard recorded.name != "extreme_ratio" else { return }
                try recorded.expect(tokens.approximateKL - (tokens.meanRatio - 1), equals: "ppo_kl")
            }
        }
    }

    /// GSPO's ratio of whole sequences, and corrections for a sampler that computes with other weights than the trainer: there
    /// are none of them here.
    private static let skipped: Set = ["gspo", "tis", "icepop", "seq-mask-tis", "gspo_correction"]

    @Test("the second clip by hand: a token of advantage −1 costs at most c, one of advantage 1 is untouched")
    func dualClip() {
        let new = Tensor([log(5.0), log(5.0), log(2.0)])
        new.requiresGradient = true
        let result = clippedPolicyLoss(
            new: new,
            old: Tensor([0.0, 0, 0]),
            advantages: Tensor([-1.0, 1, -1]),
            weights: Tensor([1.0, 1, 1]),
            clip: PolicyClip(0.2, upper: 0.5, dual: 3)
        )
        result.loss.backward()
        expectClose([result.loss.scalar], [3 - 1.5 + 2])
        expectClose(new.gradient?.doubles ?? [], [0, 0, 2])
    }

    private func policyLoss(
        _ recorded: FixtureCase,
        _ clip: PolicyClip,
        _ weights: (RaggedRows) -> Tensor
    ) throws -> PolicyLoss {
        let padded = try recorded.paddedRows(like: "logp")
        return try clippedPolicyLoss(
            new: padded.flat(recorded.input("logp")),
            old: padded.flat(recorded.input("old")),
            advantages: padded.flat(recorded.input("adv")),
            weights: weights(padded.rows),
            clip: clip
        )
    }
}
