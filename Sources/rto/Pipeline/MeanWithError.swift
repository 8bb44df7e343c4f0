/// A mean over evaluation prompts with its standard error.
struct MeanWithError: Equatable {
    let mean: Double
    /// The sample's deviation over the root of its size; nothing for fewer than two values.
    let standardError: Double?

    /// The mean of at least one value.
    init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        self.mean = mean
        guard values.count > 1 else {
            standardError = nil
            return
        }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardError = (squares / (count - 1) / count).squareRoot()
    }
}

/// How often the first of two values is the larger one; a tie is half a win.
///
/// - Precondition: both lists are equally long.
func wins(_ values: [Double], against others: [Double]) -> [Double] {
    precondition(values.count == others.count, "wins are counted prompt by prompt")
    return zip(values, others).map { $0 > $1 ? 1 : $0 == $1 ? 0.5 : 0 }
}
