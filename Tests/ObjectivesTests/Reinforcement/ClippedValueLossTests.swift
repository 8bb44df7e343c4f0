import Objectives
import Testing
import Torch

@Suite("clippedValueLoss")
struct ClippedValueLossTests {
    private let weights = Tensor([0.5, 0.5])

    @Test("by hand: a value that moved away is held back by the larger clipped error")
    func byHand() {
        let result = clippedValueLoss(
            new: Tensor([1.0, 0.1]),
            old: Tensor([0.0, 0.0]),
            returns: Tensor([1.0, 1.0]),
            weights: weights,
            clipRange: 0.2
        )
        // max(0, 0.8²) and max(0.9², 0.9²)
        expectClose([result.loss.scalar], [0.25 * (0.64 + 0.81)])
        #expect(result.clipFraction.scalar == 0.5)
    }

    @Test("without a clip, and inside it, it is half the weighted squared error, with gradient w·(V − R)")
    func unclipped() {
        for clipRange in [nil, 10] as [Double?] {
            let new = Tensor([1.0, -2.0])
            new.requiresGradient = true
            let result = clippedValueLoss(
                new: new,
                old: Tensor([0.5, -1.5]),
                returns: Tensor([3.0, -1.0]),
                weights: weights,
                clipRange: clipRange
            )
            result.loss.backward()
            expectClose([result.loss.scalar, result.clipFraction.scalar], [0.25 * (4 + 1), 0])
            expectClose(new.gradient?.doubles ?? [], [-1, -0.5])
        }
    }

    @Test("rounding alone is no clip")
    func rounding() {
        // Ten thousand float32 values that moved by less than the clip: half of old + (new − old) are not new.
        let generator = Generator(seed: 1)
        let (old, moved, returns) = (Tensor.empty([10_000]), Tensor.empty([10_000]), Tensor.empty([10_000]))
        for tensor in [old, moved, returns] { tensor.fillNormal(deviation: 1, generator) }
        let result = clippedValueLoss(
            new: old + moved.clamped(-0.1, 0.1),
            old: old,
            returns: returns,
            weights: Tensor.full([10_000], 1e-4),
            clipRange: 0.2
        )
        #expect(result.clipFraction.scalar == 0)
    }

    @Test("shifting values and returns alike changes nothing")
    func shift() {
        func loss(_ shift: Double) -> Double {
            clippedValueLoss(
                new: Tensor([1.0, -2.0]) + shift,
                old: Tensor([0.0, -2.1]) + shift,
                returns: Tensor([3.0, -1.0]) + shift,
                weights: weights,
                clipRange: 0.2
            ).loss.scalar
        }
        expectClose([loss(64)], [loss(0)])
    }

    @Test("equals the reference's and OpenRLHF's", .needsSharedFixtures)
    func reference() throws {
        for (file, isReference) in [("value_loss_rto", true), ("value_loss_orl", false)] {
            for precision in Precision.allCases {
                try Fixture(file).run(precision) { recorded in
                    let padded = try recorded.paddedRows(like: "values")
                    let rows = padded.rows
                    let result = try clippedValueLoss(
                        new: padded.flat(recorded.input("values")),
                        old: padded.flat(recorded.input("old")),
                        returns: padded.flat(recorded.input("returns")),
                        weights: isReference
                            ? LossWeights.weights(rows, normalization: .sequence, batch: BatchTotals(rows))
                            : recorded.openRLHFWeights(rows),
                        clipRange: recorded.number("clip_eps")
                    )
                    // OpenRLHF's row means divide by length + 1e-8.
                    let relative = isReference ? nil : 1e-7
                    try recorded.expect(result.loss, equals: "loss", relative: relative)
                    try recorded.expectGradients(of: result.loss, relative: relative)
                }
            }
        }
    }
}
