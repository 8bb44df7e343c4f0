import Configuration
import Foundation
import Torch

/// Trains one stage from the start into a new run directory.
///
/// - Throws: an error of settings, files or data before anything is written, or `TrainingError` for a run that diverged or
///   was interrupted; the run directory then holds what is needed to go on.
public func train(_ configuration: TrainConfiguration, recipe: Recipe) throws {
    let device = try chosenDevice(configuration.compute)
    var recipe = recipe
    recipe.versions.append(Recipe.Version("libtorch", LibTorch.version))
    let run = try RunDirectory(new: configuration.loop.output, recipe: recipe)
    let lock = try RunLock(run)
    defer { withExtendedLifetime(lock) {} }
    for sentence in configuration.notes { note(sentence) }
    let stage: any Stage
    let prediction: MemoryPrediction?
    do {
        let builder = StageBuilder(configuration: configuration, run: run, checkpoint: nil, device: device)
        (stage, prediction) = try builder.buildWithinMemory()
    } catch {
        run.discard()
        throw error
    }
    try TrainingLoop(stage: stage, run: run, settings: configuration.loop, firstStep: 0, prediction: prediction)()
}

/// Goes on with a run where its last checkpoint stands; a run without one starts again.
///
/// Relative paths of the recipe start from the directory in which the run was started, which is the current one meanwhile.
public func resume(run path: String) throws {
    let run = try RunDirectory(existing: URL(filePath: path).absoluteURL.path)
    let recorded = try Recipe.recorded(in: run.recipeURL.path)
    var configuration = recorded.configuration
    configuration.loop.output = run.url.path
    let files = FileManager.default
    let before = files.currentDirectoryPath
    if let directory = recorded.workingDirectory, !files.changeCurrentDirectoryPath(directory) {
        note("\(directory), where the run was started, is gone: relative paths start from here")
    }
    defer { _ = files.changeCurrentDirectoryPath(before) }
    if run.isFinished {
        // Where it was killed between its last two acts.
        run.removeTokens()
        note("\(path): the run is finished, there is nothing to do")
        return
    }
    configuration = try locatingInputs(configuration, commits: recorded.hubCommits, keepsTokens: true)
    let lock = try RunLock(run)
    defer { withExtendedLifetime(lock) {} }
    let device = try chosenDevice(configuration.compute)
    run.removePartialFiles()
    let step = run.checkpointSteps.last
    try run.truncateMetrics(after: step ?? 0)
    let checkpoint = step.map(run.checkpoint)
    let builder = StageBuilder(configuration: configuration, run: run, checkpoint: checkpoint, device: device)
    let (stage, prediction) = try builder.buildWithinMemory()
    if let checkpoint { try TrainingLoop.restore(stage, from: checkpoint) }
    note(step.map { "going on after step \($0) of \(stage.totalSteps)" } ?? "no checkpoint yet: starting again")
    try TrainingLoop(
        stage: stage,
        run: run,
        settings: configuration.loop,
        firstStep: step ?? 0,
        prediction: prediction
    )()
}
