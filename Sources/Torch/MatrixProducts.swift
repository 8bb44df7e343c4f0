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

/// Weights of one input laid out as one, in the order in which a product reads them, for layers that are applied to few rows many
/// times.
///
/// Equal to the plain layers bit for bit; it collects no gradient. On the CPU it does not follow later changes of the weights; on a
/// device it is the weight itself, or a copy where several were joined: make it anew when they have changed.
public struct PackedWeight {
    /// The column at which each weight's outputs begin.
    public let starts: [Int]
    /// The columns of a product, those between the weights included.
    public let outputs: Int
    private let packed: Tensor
    private let widths: [Int]
    private let inputs: Int

    /// The columns of the widest panel of any processor.
    private static let panelColumns = 32

    /// Whether there is a form for weights of this type; on a device it is the plain one, and only the joining of layers remains.
    public static func exists(for dtype: DType) -> Bool {
        dtype == .float32 || dtype == .bfloat16
    }

    /// Packs weights `[outputs, inputs]` of a type and on a device for which there is a form, one behind the other.
    ///
    /// - Parameter startsPanels: whether each begins a panel of its own, as ``gatedUnit(_:normalizedBy:by:)`` wants it; there are
    ///   columns of zeros between them then
    public init(_ weights: [Tensor], startsPanels: Bool = false) {
        precondition(weights.allSatisfy { Self.exists(for: $0.dtype) }, "no kernel for a packed weight of this type")
        precondition(weights.allSatisfy { $0.size(1) == weights[0].size(1) }, "packed weights of several inputs")
        inputs = weights[0].size(1)
        widths = weights.map { $0.size(0) }
        var (starts, parts, end) = ([Int](), [Tensor](), 0)
        for weight in weights {
            let gap = startsPanels ? (Self.panelColumns - end % Self.panelColumns) % Self.panelColumns : 0
            if gap > 0 { parts.append(Tensor.zeros([gap, inputs], weight.dtype, on: weight.device)) }
            parts.append(weight)
            starts.append(end + gap)
            end += gap + weight.size(0)
        }
        (self.starts, outputs) = (starts, end)
        let joined = parts.count == 1 ? parts[0] : Tensor.concatenated(parts, along: 0)
        packed = Memory.onHugePages {
            joined.handle.withPointer { Tensor(owning: unwrap(libtorch.pointee.pack_weight($0), "pack")) }
        }
    }

    /// Packs one weight `[outputs, inputs]`.
    public init(_ weight: Tensor) { self.init([weight]) }

    /// Whether it lies where kernels of our own multiply it.
    public var isOnCPU: Bool { packed.device == .cpu }

    /// x · Wᵀ in `[tokens, outputs]` for rows `[tokens, inputs]`, in their type; where a norm is given, on the CPU, of the normalised rows.
    public func callAsFunction(_ rows: Tensor, normalizedBy norm: RowNorm? = nil) -> Tensor {
        check(rows)
        return withExtendedLifetime((rows, packed, norm)) {
            norm.withRaw {
                let result = libtorch.pointee.packed_linear(
                    rows.handle.pointer,
                    packed.handle.pointer,
                    Int64(outputs),
                    $0
                )
                return Tensor(owning: unwrap(result, "packedLinear"))
            }
        }
    }

    /// Adds x · Wᵀ of rows `[tokens, inputs]` to rows `[tokens, outputs]` of their type, in place; on the CPU.
    ///
    /// A bfloat16 sum is rounded once; in float32, products deeper than 640 are added in parts.
    public func add(_ rows: Tensor, to target: Tensor) {
        check(rows)
        precondition(target.shape == [rows.size(0), outputs], "a product of another shape is added")
        withExtendedLifetime((rows, packed, target)) {
            let status = libtorch.pointee.add_packed_linear(
                target.handle.pointer,
                rows.handle.pointer,
                packed.handle.pointer
            )
            precondition(status == 0, "add: \(LibTorch.lastError)")
        }
    }

    /// activation(gate(x)) · up(x) for rows `[tokens, inputs]`, where gate and up are packed as one, each from a panel on; on the CPU.
    public func gatedUnit(_ rows: Tensor, normalizedBy norm: RowNorm?, by activation: Activation) -> Tensor {
        check(rows)
        precondition(
            widths.count == 2 && widths[0] == widths[1] && starts[1] % Self.panelColumns == 0,
            "a gated unit has two weights of a width, each from a panel on"
        )
        return withExtendedLifetime((rows, packed, norm)) {
            norm.withRaw {
                let result = libtorch.pointee.packed_gated_unit(
                    rows.handle.pointer,
                    packed.handle.pointer,
                    Int64(widths[0]),
                    Int64(starts[1]),
                    $0,
                    activation == .geluTanh
                )
                return Tensor(owning: unwrap(result, "gatedUnit"))
            }
        }
    }

    private func check(_ rows: Tensor) {
        precondition(rows.size(1) == inputs, "rows of \(rows.size(1)) meet a packed weight of \(inputs) inputs")
    }
}

/// A root-mean-square norm that is computed together with what comes behind it.
public struct RowNorm {
    let weight: Tensor
    let epsilon: Double
    let addsOne: Bool

    /// The norm x / √(mean(x²) + ε) · w, or · (1 + w); the weight is of float32.
    public init(_ weight: Tensor, epsilon: Double, addsOne: Bool) {
        precondition(weight.dtype == .float32, "a norm's weight is of float32")
        self.weight = weight
        self.epsilon = epsilon
        self.addsOne = addsOne
    }
}

extension RowNorm? {
    /// Calls the body with the norm as the bridge has it.
    func withRaw<Result>(_ body: (UnsafePointer<CLibTorch.RowNorm>?) -> Result) -> Result {
        guard let self else { return body(nil) }
        return withExtendedLifetime(self.weight) {
            var raw = CLibTorch.RowNorm(
                weight: self.weight.handle.pointer,
                epsilon: self.epsilon,
                adds_one: self.addsOne
            )
            return body(&raw)
        }
    }
}
