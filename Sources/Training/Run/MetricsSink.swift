import Foundation
import Reporting

/// Where the numbers of every step go.
protocol MetricsSink {
    /// Takes the numbers of one step.
    func append(_ metrics: Metrics) throws
}

extension RunDirectory: MetricsSink {}

/// The numbers as scalars of their names, for TensorBoard.
///
/// Watching a run must not end it: where a step cannot be written, this is said once, and the run goes on without the file.
final class TensorBoardSink: MetricsSink {
    /// Nil after it could not be written: behind half a record nothing can be read.
    private var file: TensorBoardFile?
    private let say: (String) -> Void

    /// A sink that writes to a file and says by what it is stopped.
    init(_ file: TensorBoardFile, say: @escaping (String) -> Void) { (self.file, self.say) = (file, say) }

    /// Begins the event file of this process; the first one of a run holds the recipe as a text.
    ///
    /// - Parameter step: The step after which the run goes on, 0 at its beginning.
    /// - Throws: `ReportingError` where the file cannot be made, before there is anything to lose.
    convenience init(_ run: RunDirectory, goingOnAfter step: Int, say: @escaping (String) -> Void) throws {
        let file = try TensorBoardFile(directory: run.url, goingOnAfter: step)
        self.init(file, say: say)
        guard !file.isContinuation, let recipe = try? String(contentsOf: run.recipeURL, encoding: .utf8) else { return }
        // Indented, Markdown shows it as it is.
        let lines = recipe.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 + "\n" }
        try file.append(text: lines.joined(), tag: "recipe", step: 0)
    }

    func append(_ metrics: Metrics) {
        let scalars = metrics.values.filter { $0.name != "step" }.map { (tag: $0.name, value: $0.value) }
        do throws(ReportingError) {
            try file?.append(scalars: scalars, step: Int(metrics["step"] ?? 0))
        } catch {
            say("\(error.description); the run goes on, and TensorBoard does not see its further steps")
            file = nil
        }
    }
}
