import Torch

/// Weights of a model that is only measured: one block of normal numbers over and over, made where the model lives, since drawing
/// billions of numbers takes longer than what is measured.
struct RepeatedParameters: ParameterSource {
    private let block: Tensor
    private let deviation: Double
    private let norm: Double

    init(_ configuration: ModelConfiguration, seed: UInt64, device: Device) {
        let numbers = Tensor.empty([1 << 20])
        numbers.fillNormal(deviation: 1, Generator(seed: seed))
        block = numbers.to(device)
        deviation = configuration.initializerRange
        norm = configuration.family.traits.isGemma ? 0 : 1
    }

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) -> Tensor {
        let count = shape.reduce(1, *)
        switch kind {
        case .norm: return .full(shape, norm, on: block.device)
        case .bias, .adapterOutput: return .zeros(shape, on: block.device)
        case .matrix, .head, .adapterInput: break
        }
        let size = block.count
        let repeated = block.unsqueezed(0).expanded([(count + size - 1) / size, size]).reshaped([-1])
        return (repeated.narrowed(0, 0..<count) * deviation).reshaped(shape)
    }

    func finish(taken: Set<String>) {}
}
