import Configuration

/// Why a command of the engine could not be done.
public struct TrainingError: Error, Equatable, CustomStringConvertible, ExitStatusProviding {
    /// One sentence: what, where, what to do.
    public let description: String
    /// The status the program ends with.
    public let exitStatus: ExitStatus

    /// An error of data, files or settings unless another status is given.
    public init(_ description: String, _ exitStatus: ExitStatus = .data) {
        self.description = description
        self.exitStatus = exitStatus
    }

    /// A run whose numbers are no longer finite.
    static func diverged(step: Int, quantity: String) -> TrainingError {
        TrainingError(
            "training diverged: \(quantity) is not finite at step \(step); checkpoints written before are good, "
                + "a smaller --learning-rate or --max-grad-norm may help",
            .diverged
        )
    }
}
