/// What the command line asks of the rooms that compute; one method for each command.
///
/// Configurations arrive checked: every setting within its limits, combinations allowed, named paths present. A method
/// returns when the command is done, and throws an error whose description is one sentence otherwise; errors that adopt
/// ``ExitStatusProviding`` choose the status, all others end with ``ExitStatus/data``.
public protocol CommandEngine: Sendable {
    /// Trains one stage into its run directory, whose `recipe.yaml` comes from `recipe`.
    func train(_ configuration: TrainConfiguration, recipe: Recipe) throws
    /// Goes on exactly where the run in the directory stopped.
    func resume(run: String) throws
    /// Writes completions of prompts.
    func generate(_ configuration: GenerateConfiguration) throws
    /// Talks to whoever writes to standard input.
    func chat(_ configuration: ChatConfiguration) throws
    /// Answers requests over HTTP until it is told to stop.
    func serve(_ configuration: ServeConfiguration) throws
    /// Scores rows.
    func score(_ configuration: ScoreConfiguration) throws
    /// Makes rows to train on of scored completions.
    func pairs(_ configuration: PairsConfiguration) throws
    /// Shows rows as tokens.
    func inspect(_ configuration: InspectConfiguration) throws
    /// Adds an adapter to its base model and writes the whole model.
    func merge(_ configuration: MergeConfiguration) throws
    /// Measures throughput and memory here.
    func bench(_ configuration: BenchConfiguration) throws
    /// Compares every method on chains of their own seeds.
    func table(_ configuration: TableConfiguration) throws
    /// Runs the whole pipeline on an embedded world.
    func quickstart(_ configuration: QuickstartConfiguration) throws
    /// Reports versions, devices and whatever is wrong, as text or as one JSON object.
    func doctor(asJSON: Bool) throws
}
