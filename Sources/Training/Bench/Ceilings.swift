import Torch

/// What this machine can do at most, measured here: the figures of a benchmark mean something only beside them.
struct Ceilings {
    /// Operations per second of a large matrix product of LibTorch.
    let libTorchOperations: Double
    /// Operations per second of the same product by the faster of LibTorch and the kernel of linear layers.
    let matrixOperations: Double
    /// Bytes per second of reading memory that no cache holds.
    let memoryBytes: Double

    /// Measures them, in the type that models compute in.
    init(dtype: DType, device: Device) {
        // A GPU needs more rows to be busy.
        let (rows, width) = device == .cpu ? (1024, 2048) : (8192, 8192)
        let operations = 2 * Double(rows) * Double(width) * Double(width)
        // Not one number everywhere: a GPU that switches fewer bits draws less power and clocks higher.
        let numbers = Tensor.empty([width])
        numbers.fillNormal(deviation: 1, Generator(seed: 1))
        let block = numbers.to(dtype).to(device).unsqueezed(0)
        let input = block.expanded([rows, width]).contiguous()
        let weight = block.expanded([width, width]).contiguous()
        let transposed = weight.transposed(0, 1)
        let (libTorch, linear, memory) = withoutGradients {
            (
                Self.fastest { input.matmul(transposed).waitUntilReady() },
                Self.fastest { input.linear(weight).waitUntilReady() }, Self.memoryRead(device)
            )
        }
        libTorchOperations = operations / libTorch
        matrixOperations = operations / min(libTorch, linear)
        memoryBytes = memory
    }

    /// The sum of 256 MiB on a CPU, which no cache holds, and of 4 GiB on a GPU, whose bandwidth small tensors do not reach.
    private static func memoryRead(_ device: Device) -> Double {
        let count = device == .cpu ? 1 << 26 : 1 << 30
        let numbers = Tensor.full([count], 1, on: device)
        return Double(4 * count) / fastest { numbers.sum().waitUntilReady() }
    }

    /// The shortest of several runs, after one that does not count: a ceiling is what is possible.
    private static func fastest(_ body: () -> Void) -> Double {
        body()
        var best = Double.infinity
        var total = 0.0
        for run in 0..<20 where run < 3 || total < 0.5 {
            let seconds = ContinuousClock().measure(body).inSeconds
            best = min(best, seconds)
            total += seconds
        }
        return max(best, 1e-9)
    }
}

extension Tensor {
    /// Returns when the elements are computed; a GPU computes behind the program's back.
    func waitUntilReady() {
        if device != .cpu { _ = reshaped([-1]).narrowed(0, 0..<1).floats }
    }
}

extension Duration {
    /// The duration as a number.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// The median of at least one number: the middle one, or the mean of the middle two.
func median(_ numbers: [Double]) -> Double {
    let sorted = numbers.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
