import Torch

/// Linear layers of one input: each a matrix of its own, or all rows of one.
///
/// One matrix where a family's checkpoints hold it so, and where sampling packs them: few rows read a long matrix faster than
/// three short ones.
struct LinearGroup {
    /// One for each layer, or one for all.
    private let weights: [LinearWeight]
    /// One for each matrix of the checkpoint.
    let additions: [LinearAdditions]
    private let widths: [Int]

    /// Layers of the given widths under a name each, or under one name for all.
    init(_ scope: ParameterScope, _ names: [String], from input: Int, to widths: [Int], bias: Bool) throws {
        precondition(names.count == widths.count || names.count == 1, "one name for each or for all")
        self.widths = widths
        let outputs = names.count == 1 ? [widths.reduce(0, +)] : widths
        let packed = try scope.packedWeight(names, outputs.map { [$0, input] })
        var weights: [LinearWeight] = []
        additions = try zip(names, outputs).map { name, output in
            if packed == nil {
                weights.append(.plain(try (scope / name).parameter("weight", [output, input], .matrix)))
            }
            return try LinearAdditions(scope / name, from: input, to: output, bias: bias)
        }
        self.weights = packed.map { [.packed($0)] } ?? weights
    }

    /// What each layer makes of the rows `[tokens, inputs]`.
    func callAsFunction(_ input: Tensor) -> [Tensor] {
        if weights.count < additions.count {
            return zip(parts(weights[0](input)), additions).map { $1($0, of: input) }
        }
        let products = zip(weights, additions).map { $1.adapted($0(input, bias: $1.bias), of: input) }
        return products.count == widths.count ? products : parts(products[0])
    }

    /// The columns of each layer.
    private func parts(_ all: Tensor) -> [Tensor] {
        var start = 0
        return widths.map { width in
            defer { start += width }
            return all.narrowed(1, start..<start + width)
        }
    }
}
