import Torch

/// Dropout of what an adapter reads: elements are zero with probability p, and divided by 1 − p otherwise.
///
/// A mask is a function of seed, optimizer step, pass within the step, and layer. So a resumed run draws the masks of a run that
/// was not stopped, and a pass that is computed again for its gradient draws the masks of the first time. Only passes that
/// record gradients drop anything.
public final class AdapterDropout {
    private let probability: Double
    private let seed: UInt64
    private var step = 0
    private var passes = 0
    /// The pass whose masks are drawn, or nil where nothing is dropped.
    var pass: Pass?

    /// Which forward pass of a run.
    struct Pass {
        let step: Int
        let number: Int
    }

    init(probability: Double, seed: UInt64) {
        self.probability = probability
        self.seed = seed
    }

    /// Starts the passes of an optimizer step.
    public func begin(step: Int) {
        self.step = step
        passes = 0
    }

    /// The next pass, or nil where no gradient is recorded.
    func nextPass() -> Pass? {
        guard areGradientsRecorded else { return nil }
        defer { passes += 1 }
        return Pass(step: step, number: passes)
    }

    /// Rows with elements dropped, in the current pass.
    func drop(_ input: Tensor, layer: Int) -> Tensor {
        guard let pass else { return input }
        let key = [pass.step, pass.number, layer].reduce(seed) { RandomStream.seed($0, UInt64($1)) }
        let mask = Tensor.empty(input.shape)
        mask.fillBernoulli(1 - probability, Generator(seed: key))
        return input * (mask / (1 - probability)).to(input.dtype).to(input.device)
    }
}

extension RandomStream {
    /// A seed for one purpose among many of the same seed.
    static func seed(_ seed: UInt64, _ purpose: UInt64) -> UInt64 {
        var stream = RandomStream(seed: seed, index: purpose)
        return UInt64(stream.next() * 0x1p53)
    }
}
