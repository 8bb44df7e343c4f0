import Torch

/// Linear layers of one input: each a matrix of its own, or all rows of one, as a family's checkpoints hold them.
struct LinearGroup {
    let matrices: [Linear]
    private let widths: [Int]

    /// Layers of the given widths under a name each, or under one name for all.
    init(_ scope: ParameterScope, _ names: [String], from input: Int, to widths: [Int], bias: Bool) throws {
        precondition(names.count == widths.count || names.count == 1, "one name for each or for all")
        self.widths = widths
        let outputs = names.count == 1 ? [widths.reduce(0, +)] : widths
        matrices = try zip(names, outputs).map { try Linear(scope / $0, from: input, to: $1, bias: bias) }
    }

    /// What each layer makes of the rows `[tokens, inputs]`.
    func callAsFunction(_ input: Tensor) -> [Tensor] {
        if matrices.count == widths.count { return matrices.map { $0(input) } }
        let all = matrices[0](input)
        var start = 0
        return widths.map { width in
            defer { start += width }
            return all.narrowed(1, start..<start + width)
        }
    }
}
