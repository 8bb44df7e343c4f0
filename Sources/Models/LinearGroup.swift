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
    ///
    /// - Parameter isGatedUnit: whether they are gate and up; packed, each begins a panel then, unless something is added to them
    init(
        _ scope: ParameterScope,
        _ names: [String],
        from input: Int,
        to widths: [Int],
        bias: Bool,
        isGatedUnit: Bool = false
    ) throws {
        precondition(names.count == widths.count || names.count == 1, "one name for each or for all")
        self.widths = widths
        let outputs = names.count == 1 ? [widths.reduce(0, +)] : widths
        let shapes = outputs.map { [$0, input] }
        // What is added to the product of one matrix knows nothing of gaps in it.
        let isPlain = !bias && names.allSatisfy { !(scope / $0).isAdapted }
        let packed = try scope.packedWeight(names, shapes, gatedWidth: isGatedUnit && isPlain ? widths[0] : nil)
        var weights: [Tensor] = []
        additions = try zip(names, shapes).map { name, shape in
            if packed == nil { weights.append(try (scope / name).parameter("weight", shape, .matrix)) }
            return try LinearAdditions(scope / name, from: input, to: shape[0], bias: bias)
        }
        self.weights = weights
        self.packed = packed
        let ends = widths.indices.map { widths[...$0].reduce(0, +) }
        starts = if let packed, packed.starts.count == widths.count { packed.starts } else { [0] + ends.dropLast() }
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
