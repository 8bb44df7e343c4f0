import Torch

/// How much each token of a batch counts in a loss Σ wₜ·ℓₜ.
public enum LossNormalization: Sendable, Equatable {
    /// Every token counts the same: wₜ = 1 / tokens.
    case token
    /// Every row counts the same, and so do the tokens inside it: wₜ = 1 / (rows · length of the row of t).
    ///
    /// The mean over rows of each row's mean, as RTO's reference code has it. It favours the tokens of short rows.
    case sequence
    /// Every token counts the same whatever the lengths: wₜ = 1 / (rows · constant).
    ///
    /// The normalisation of Dr. GRPO (arXiv 2503.20783), where the constant is the greatest length of a response.
    case constant(Double)

    /// Σ wₜ over a batch: 1 but for ``constant(_:)``, and what turns Σ wₜ·sₜ into a mean of s.
    public func total(of batch: BatchTotals) -> Double {
        guard case .constant(let constant) = self else { return 1 }
        return Double(batch.tokens) / (Double(batch.rows) * constant)
    }
}

/// The size of a whole batch: of all its micro-batches, on all ranks.
public struct BatchTotals: Sendable, Equatable {
    /// The number of tokens in the loss.
    public var tokens: Int
    /// The number of rows that have at least one of them.
    public var rows: Int

    /// Totals counted elsewhere.
    public init(tokens: Int, rows: Int) {
        self.tokens = tokens
        self.rows = rows
    }

    /// The totals of one micro-batch; rows without tokens do not count.
    public init(_ rows: RaggedRows) {
        self.init(tokens: rows.tokenCount, rows: rows.nonEmptyRows.count)
    }

    /// The totals of two parts of a batch together.
    public static func + (a: BatchTotals, b: BatchTotals) -> BatchTotals {
        BatchTotals(tokens: a.tokens + b.tokens, rows: a.rows + b.rows)
    }
}

/// The weights of every loss, known before the first micro-batch is computed.
public enum LossWeights {
    /// The weights of a micro-batch's tokens, from the totals of the whole batch.
    ///
    /// The losses, and gradients, of all micro-batches then add up to those of the batch, however it was cut.
    /// - Returns: `[tokens]` on the CPU, in float64; losses bring them to the type and device of their values.
    public static func weights(
        _ rows: RaggedRows,
        normalization: LossNormalization,
        batch: BatchTotals
    ) -> Tensor {
        precondition(
            batch.tokens >= rows.tokenCount && batch.rows >= rows.nonEmptyRows.count,
            "a micro-batch has more tokens or rows than its batch"
        )
        let weights = rows.lengths.flatMap { length in
            let divisor =
                switch normalization {
                case .token: Double(batch.tokens)
                case .sequence: Double(batch.rows) * Double(length)
                case .constant(let constant): Double(batch.rows) * constant
                }
            return repeatElement(1 / divisor, count: length)
        }
        return Tensor(weights)
    }
}
