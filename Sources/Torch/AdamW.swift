/// LibTorch's fused operators on lists of tensors.
private enum Operators {
    static let fusedAdamW = Operator("_fused_adamw_")
    static let foreachNorm = Operator("_foreach_norm", "Scalar")
    static let vectorNorm = Operator("linalg_vector_norm")
    static let foreachMultiply = Operator("_foreach_mul_", "Tensor")
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2), one fused call for all tensors.
///
/// Parameters are float32 masters; a bfloat16 run computes with casts of them, so that no update is lost to rounding.
public struct AdamW {
    /// β₁, the decay of the running mean.
    public var beta1: Double
    /// β₂, the decay of the running mean of squares.
    public var beta2: Double
    /// ε, added to the square root.
    public var epsilon: Double
    /// Decoupled weight decay of the parameters in `decayed`.
    public var weightDecay: Double

    /// Running means of the gradients, in the order of the parameters.
    public private(set) var means: [Tensor]
    /// Running means of the squared gradients, in the order of the parameters.
    public private(set) var squares: [Tensor]
    /// Updates made so far.
    public private(set) var step: Int

    private let parameters: [Tensor]
    private let decayed: [Bool]

    /// An optimizer of the given leaves.
    /// - Parameter decayed: which parameters weight decay applies to; norms and biases are usually left out.
    public init(
        _ parameters: [Tensor],
        decayed: [Bool],
        beta1: Double,
        beta2: Double,
        epsilon: Double,
        weightDecay: Double
    ) {
        precondition(parameters.count == decayed.count, "one decay flag a parameter")
        self.parameters = parameters
        self.decayed = decayed
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        means = parameters.map { $0.zerosLike() }
        squares = parameters.map { $0.zerosLike() }
        step = 0
    }

    /// Takes one step along the gradients and clears them; a parameter without gradient counts as gradient zero.
    public mutating func update(learningRate: Double) {
        step += 1  // first: the fused operator divides by 1 - βˢᵗᵉᵖ
        withoutGradients {
            let stepNumber = Tensor([Float(step)], shape: []).to(parameters.first?.device ?? .cpu)
            for decays in weightDecay == 0 ? [nil] : [true, false] as [Bool?] {
                let chosen = parameters.indices.filter { decays == nil || decayed[$0] == decays }
                if chosen.isEmpty { continue }
                let leaves = chosen.map { parameters[$0] }
                Operators.fusedAdamW.run(
                    leaves,
                    leaves.map { $0.gradient ?? $0.zerosLike() },
                    chosen.map { means[$0] },
                    chosen.map { squares[$0] },
                    [] as [Tensor],
                    leaves.map { _ in stepNumber },
                    learningRate,
                    beta1,
                    beta2,
                    decays == true ? weightDecay : 0,
                    epsilon,
                    false,
                    false
                )
            }
        }
        for parameter in parameters { parameter.gradient = nil }
    }

    /// Restores the state of a saved run; traps if the numbers of tensors differ.
    public mutating func restore(means: [Tensor], squares: [Tensor], step: Int) {
        precondition(
            means.count == parameters.count && squares.count == parameters.count,
            "optimizer state of another model"
        )
        for (mine, saved) in zip(self.means + self.squares, means + squares) { mine.copy(from: saved) }
        self.step = step
    }
}

/// The L2 norm of all gradients together: √Σ‖g‖².
public func gradientNorm(_ parameters: [Tensor]) -> Double {
    let gradients = parameters.compactMap(\.gradient)
    if gradients.isEmpty { return 0 }
    let norms = Operators.foreachNorm.list(count: gradients.count, gradients, 2.0)
    return Operators.vectorNorm(Tensor.stacked(norms)).scalar
}

/// Scales all gradients by min(1, maximum / (norm + 1e-6)), as PyTorch does, and returns the norm before.
@discardableResult
public func clipGradients(_ parameters: [Tensor], maximum: Double) -> Double {
    let norm = gradientNorm(parameters)
    let scale = maximum / (norm + 1e-6)
    if scale < 1 {
        let gradients = parameters.compactMap(\.gradient)
        withoutGradients {
            Operators.foreachMultiply.run(gradients, Tensor([Float(scale)], shape: []).to(gradients[0].device))
        }
    }
    return norm
}
