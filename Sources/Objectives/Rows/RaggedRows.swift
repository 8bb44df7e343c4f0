import Torch

/// Rows of different lengths that lie one after another in a flat tensor `[tokens]`, without padding and without a mask.
///
/// Sums, means and spreading are a fixed number of operators for any number of rows, so the gradient graph does not grow
/// with the rows. Sums are added up in float64 and rounded once. A row without tokens has sum 0 and mean 0.
public struct RaggedRows: Sendable, Equatable {
    /// How many tokens each row has.
    public let lengths: [Int]
    /// Where each row starts and, as last number, where the last row ends: `rowCount + 1` numbers.
    public let offsets: [Int]
    private let rowOfToken: [Int]

    /// Rows of the given lengths; traps on a negative one.
    public init(lengths: [Int]) {
        precondition(lengths.allSatisfy { $0 >= 0 }, "a row has a negative length")
        self.lengths = lengths
        offsets = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        rowOfToken = lengths.indices.flatMap { repeatElement($0, count: lengths[$0]) }
    }

    /// The number of rows.
    public var rowCount: Int { lengths.count }

    /// The number of tokens of all rows.
    public var tokenCount: Int { rowOfToken.count }

    /// Where the tokens of a row lie in the flat tensor.
    public func range(_ row: Int) -> Range<Int> { offsets[row]..<offsets[row + 1] }

    /// The rows that have tokens, in order.
    public var nonEmptyRows: [Int] { lengths.indices.filter { lengths[$0] > 0 } }

    /// Where the last token of each of ``nonEmptyRows`` lies in the flat tensor.
    public var lastTokens: [Int] { nonEmptyRows.map { offsets[$0 + 1] - 1 } }

    /// The sum of each row of a flat tensor `[tokens]`: `[rows]`, in float32 (float64 for float64).
    public func sums(_ flat: Tensor) -> Tensor { exactSums(flat).to(flat.precision) }

    /// The mean of each row of a flat tensor `[tokens]`: `[rows]`, in float32 (float64 for float64).
    public func means(_ flat: Tensor) -> Tensor {
        let divisors = Tensor(lengths.map { Double(max(1, $0)) })
        return (exactSums(flat) / divisors.to(flat.device)).to(flat.precision)
    }

    /// One number a row `[rows]` repeated for each of the row's tokens: `[tokens]`.
    public func spread(_ perRow: Tensor) -> Tensor {
        precondition(perRow.shape == [rowCount], "\(rowCount) rows want a tensor [\(rowCount)], not \(perRow.shape)")
        return perRow.rows(rowOfToken)
    }

    private func exactSums(_ flat: Tensor) -> Tensor {
        precondition(
            flat.shape == [tokenCount],
            "\(tokenCount) tokens want a tensor [\(tokenCount)], not \(flat.shape)"
        )
        let rows = Tensor(rowOfToken).to(flat.device)
        return Tensor.zeros([rowCount], .float64, on: flat.device).adding(flat.to(.float64), at: rows, along: 0)
    }
}
