import CLibTorch

/// Parts of a decoder layer as one node of the gradient graph each, with a kernel of our own for both directions.
///
/// They replace chains of elementwise operators, each of which reads and writes the whole batch, and keep less for the
/// backward pass. The plain chains stay: for other types, and as what the tests compare with.
extension Tensor {
    /// Whether the fused layers take this tensor: float32 or bfloat16.
    public var hasFusedLayers: Bool { dtype == .float32 || dtype == .bfloat16 }

    /// x / √(mean(x²) + ε) · w for rows `[tokens, width]` and a weight `[width]`; statistics in float32.
    ///
    /// - Parameter addsOne: whether 1 + w stands for w, the sum and the product in float32
    public func rootMeanSquareNorm(_ weight: Tensor, epsilon: Double, addsOne: Bool = false) -> Tensor {
        precondition(rank == 2 && weight.shape == [size(1)], "the weight's shape \(weight.shape) does not fit \(shape)")
        return withExtendedLifetime((self, weight)) {
            let result = libtorch.pointee.root_mean_square_norm(
                handle.pointer,
                weight.handle.pointer,
                epsilon,
                addsOne
            )
            return Tensor(owning: unwrap(result, "rootMeanSquareNorm"))
        }
    }

    /// The sum of these rows `[tokens, width]` and an update of the same shape, and that sum's norm.
    public func adding(
        _ update: Tensor,
        normalizedBy weight: Tensor,
        epsilon: Double,
        addsOne: Bool = false
    ) -> (sum: Tensor, normalized: Tensor) {
        precondition(shape == update.shape && dtype == update.dtype, "the update's shape or type is another")
        precondition(rank == 2 && weight.shape == [size(1)], "the weight's shape \(weight.shape) does not fit \(shape)")
        return withExtendedLifetime((self, update, weight)) {
            var sum: TensorPointer?
            let result = libtorch.pointee.residual_norm(
                handle.pointer,
                update.handle.pointer,
                weight.handle.pointer,
                epsilon,
                addsOne,
                &sum
            )
            let normalized = Tensor(owning: unwrap(result, "residualNorm"))
            return (Tensor(owning: unwrap(sum, "residualNorm")), normalized)
        }
    }

    /// Heads `[tokens, heads, dimension]` turned by cosines and sines of the same type, `[tokens, 1, dimension]`, whose second
    /// half repeats the first.
    public func rotated(cosine: Tensor, sine: Tensor) -> Tensor {
        withExtendedLifetime((self, cosine, sine)) {
            let result = libtorch.pointee.rotary(handle.pointer, cosine.handle.pointer, sine.handle.pointer)
            return Tensor(owning: unwrap(result, "rotated"))
        }
    }

    /// activation(self) · up, for rows `[tokens, width]` each.
    public func gating(_ up: Tensor, by activation: Activation = .silu) -> Tensor {
        withExtendedLifetime((self, up)) {
            let result = libtorch.pointee.gated_unit(handle.pointer, up.handle.pointer, activation == .geluTanh)
            return Tensor(owning: unwrap(result, "gating"))
        }
    }
}

/// What the gate of a feed-forward layer goes through.
public enum Activation: Sendable {
    /// x · σ(x).
    case silu
    /// x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) (Hendrycks and Gimpel, arXiv 1606.08415).
    case geluTanh

    /// The activation as an operator.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .silu: x.silu()
        case .geluTanh: x.geluTanh()
        }
    }
}
