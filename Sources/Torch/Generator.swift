import CLibTorch

/// A named source of random numbers whose state can be saved and restored bit for bit.
public final class Generator {
    let pointer: GeneratorPointer

    /// A generator started from a seed.
    public init(seed: UInt64) {
        guard let pointer = libtorch.pointee.create_generator(seed) else { fatalError(LibTorch.lastError) }
        self.pointer = pointer
    }

    deinit { libtorch.pointee.release_generator(pointer) }

    /// The whole state, as an opaque uint8 tensor; assigning it restores the sequence exactly.
    public var state: Tensor {
        get { Tensor(owning: unwrap(libtorch.pointee.generator_state(pointer), "generator state")) }
        set {
            let status = newValue.handle.withPointer { libtorch.pointee.set_generator_state(pointer, $0) }
            precondition(status == 0, "generator state: \(LibTorch.lastError)")
        }
    }
}
