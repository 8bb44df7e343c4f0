import CLibTorch

// Linear layers through matrix products of our own on the CPU, where MKL is slow on AMD processors and bfloat16 products of
// LibTorch run at a tenth of the speed of float32 unless the processor has instructions for them.

extension Tensor {
    /// x · Wᵀ + b for rows `[tokens, inputs]` and a weight `[outputs, inputs]`.
    ///
    /// A weight wider than the rows, such as a float32 master under bfloat16, is rounded to their type first; its gradient is
    /// summed in its own type. On the CPU an element's result depends neither on the number of threads nor on the other rows.
    public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
        precondition(size(-1) == weight.size(1), "rows of \(size(-1)) meet a weight of shape \(weight.shape)")
        return withExtendedLifetime((self, weight, bias)) {
            let result = libtorch.pointee.linear(handle.pointer, weight.handle.pointer, bias?.handle.pointer)
            return Tensor(owning: unwrap(result, "linear"))
        }
    }
}

/// A weight laid out in the order in which a product reads it, for layers that are applied to few rows many times.
///
/// Equal to the plain layer bit for bit; it collects no gradient. On the CPU it does not follow later changes of the weight; on a
/// device it is the weight itself, or a copy where several were joined: make it anew when they have changed.
public struct PackedWeight {
    private let packed: Tensor
    private let outputs: Int
    private let inputs: Int

    /// Whether there is a form for weights of this type; on a device it is the plain one, and only the joining of layers remains.
    public static func exists(for dtype: DType) -> Bool {
        dtype == .float32 || dtype == .bfloat16
    }

    /// Packs a weight `[outputs, inputs]` of a type and on a device for which there is a form.
    public init(_ weight: Tensor) {
        precondition(Self.exists(for: weight.dtype), "no kernel for a packed \(weight.dtype) weight")
        (outputs, inputs) = (weight.size(0), weight.size(1))
        packed = weight.handle.withPointer { Tensor(owning: unwrap(libtorch.pointee.pack_weight($0), "pack")) }
    }

    /// x · Wᵀ for rows `[tokens, inputs]`, in their type, without gradient.
    public func callAsFunction(_ rows: Tensor) -> Tensor {
        precondition(rows.size(1) == inputs, "rows of \(rows.size(1)) meet a packed weight of \(inputs) inputs")
        return withExtendedLifetime((rows, packed)) {
            let result = libtorch.pointee.packed_linear(rows.handle.pointer, packed.handle.pointer, Int64(outputs))
            return Tensor(owning: unwrap(result, "packedLinear"))
        }
    }
}
