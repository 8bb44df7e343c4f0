import Torch

/// The weight of a linear layer, `[outputs, inputs]`.
enum LinearWeight {
    /// In rows, as checkpoints hold it; a master wider than the input is rounded to the input's type at its use.
    case plain(Tensor)
    /// In the order in which sampling reads it.
    case packed(PackedWeight)

    /// x · Wᵀ for rows `[tokens, inputs]`, in their type.
    func callAsFunction(_ input: Tensor, bias: Tensor? = nil) -> Tensor {
        switch self {
        case .plain(let weight): return input.linear(weight, bias: bias)
        case .packed(let weight):
            let product = weight(input)
            return bias.map { product + $0 } ?? product
        }
    }
}

/// x · Wᵀ + b, and what an adapter adds to it.
struct Linear {
    let weight: LinearWeight
    let additions: LinearAdditions

    init(_ scope: ParameterScope, from input: Int, to output: Int, bias: Bool) throws {
        weight = try scope.weight([output, input])
        additions = try LinearAdditions(scope, from: input, to: output, bias: bias)
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
        additions.adapted(weight(input, bias: additions.bias), of: input)
    }
}

/// What a linear layer adds to its product: a bias, and an adapter's part.
struct LinearAdditions {
    let bias: Tensor?
    let adapter: LowRankAdapter?

    init(_ scope: ParameterScope, from input: Int, to output: Int, bias: Bool) throws {
        self.bias = bias ? try scope.parameter("bias", [output], .bias) : nil
        adapter = try scope.adapter(from: input, to: output)
    }

    /// Whether the layer is its product alone.
    var isEmpty: Bool { bias == nil && adapter == nil }

    /// The product x · Wᵀ with all that is added to it.
    func callAsFunction(_ product: Tensor, of input: Tensor) -> Tensor {
        adapted(bias.map { product + $0 } ?? product, of: input)
    }

    /// A product that has its bias, with the adapter's part.
    func adapted(_ product: Tensor, of input: Tensor) -> Tensor {
        adapter.map { product + $0(input) } ?? product
    }
}
