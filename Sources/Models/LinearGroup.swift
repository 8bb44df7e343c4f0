import Torch

/// Linear layers of one input: each a matrix of its own, or all rows of one.
///
/// One matrix where a family's checkpoints hold it so, and where sampling packs them: few rows read a long matrix faster than
/// three short ones.
struct LinearGroup {
    /// One for each matrix of the checkpoint, none where they are packed.
    private let weights: [Tensor]
    /// The weights of all layers, where the model is made for sampling.
    let packed: PackedWeight?
    /// One for each matrix of the checkpoint.
    let additions: [LinearAdditions]
    let widths: [Int]
    /// The column of each layer where one product makes those of all.
    let starts: [Int]

    /// Layers of the given widths under a name each, or under one name for all.
    init(_ scope: ParameterScope, _ names: [String], from input: Int, to widths: [Int], bias: Bool) throws {
        precondition(names.count == widths.count || names.count == 1, "one name for each or for all")
        self.widths = widths
        let outputs = names.count == 1 ? [widths.reduce(0, +)] : widths
        let shapes = outputs.map { [$0, input] }
        let additions = try zip(names, outputs).map { name, output in
            try LinearAdditions(scope / name, from: input, to: output, bias: bias)
        }
        // What is added to the product of one matrix knows nothing of gaps in it.
        let isWhole = names.count == 1 && !additions[0].isEmpty
        packed = try scope.packedWeight(names, shapes, parts: isWhole ? outputs : widths)
        weights = packed == nil ? try zip(names, shapes).map { try (scope / $0).parameter("weight", $1, .matrix) } : []
        self.additions = additions
        starts = if let packed, !isWhole { packed.starts } else { widths.indices.map { widths[..<$0].reduce(0, +) } }
    }

    /// What each layer makes of the rows `[tokens, inputs]`.
    func callAsFunction(_ input: Tensor) -> [Tensor] {
        if let packed, additions.count == widths.count {
            return zip(parts(packed(input)), additions).map { $1($0, of: input) }
        }
        if let packed { return parts(additions[0](packed(input), of: input)) }
        let products = zip(weights, additions).map { $1.adapted(input.linear($0, bias: $1.bias), of: input) }
        return products.count == widths.count ? products : parts(products[0])
    }

    /// The columns of each layer.
    private func parts(_ all: Tensor) -> [Tensor] {
        zip(starts, widths).map { all.narrowed(1, $0..<$0 + $1) }
    }
}
