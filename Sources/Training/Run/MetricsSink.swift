import Foundation
import Reporting

/// Where the numbers of every step go.
protocol MetricsSink {
    /// Takes the numbers of one step.
    func append(_ metrics: Metrics) throws
}

extension RunDirectory: MetricsSink {}

/// The numbers as scalars of their names, for TensorBoard.
struct TensorBoardSink: MetricsSink {
    private let file: TensorBoardFile

    /// Begins the event file of this process; the first one of a run holds the recipe as a text.
    ///
    /// - Parameter step: The step after which the run goes on, 0 at its beginning.
    init(_ run: RunDirectory, goingOnAfter step: Int) throws {
        file = try TensorBoardFile(directory: run.url, goingOnAfter: step)
        guard !file.isContinuation, let recipe = try? String(contentsOf: run.recipeURL, encoding: .utf8) else { return }
        // Indented, Markdown shows it as it is.
        let lines = recipe.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 + "\n" }
        try file.append(text: lines.joined(), tag: "recipe", step: 0)
    }

    func append(_ metrics: Metrics) throws {
        let scalars = metrics.values.filter { $0.name != "step" }.map { (tag: $0.name, value: $0.value) }
        try file.append(scalars: scalars, step: Int(metrics["step"] ?? 0))
    }
}
