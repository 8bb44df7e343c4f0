import Configuration
import Foundation
import JSONText
import Safetensors
import Torch

/// Runs any stage: steps, metrics, evaluation, checkpoints, interruption and the final model.
struct TrainingLoop {
    let stage: any Stage
    let run: RunDirectory
    let settings: LoopSettings
    /// Steps that earlier processes of this run have made.
    let firstStep: Int
    /// The memory that was predicted, where it was.
    let prediction: MemoryPrediction?

    private static let stateName = "state.json"
    private static let tensorsName = "state.safetensors"
    private static let tensorsKey = "tensors"

    /// Makes the remaining steps and writes the final model.
    func callAsFunction() throws {
        Interruption.listen()
        let digests = try run.tokenDigests()
        var progress = ProgressLine(totalSteps: stage.totalSteps, firstStep: firstStep)
        var sinks: [any MetricsSink] = [run]
        if settings.reportTo.contains(.tensorBoard) {
            let sink = try TensorBoardSink(run, goingOnAfter: firstStep) { sentence in
                progress.finish()
                note(sentence)
            }
            sinks.append(sink)
        }
        for step in firstStep..<max(firstStep, stage.totalSteps) {
            var metrics: Metrics
            do {
                metrics = try timed(step) { try stage.step(step) }
            } catch let failure as OutsideFailure {
                progress.finish()
                throw try stopped(by: failure, before: step, digests)
            }
            let made = step + 1
            if isEvaluated(after: made), let evaluation = try stage.evaluate() {
                guard evaluation.values.allSatisfy({ $0.value.isFinite }) else {
                    throw TrainingError.diverged(step: made, quantity: "a measure of the held-out rows")
                }
                metrics.append(evaluation)
            }
            for sink in sinks { try sink.append(metrics) }
            progress.show(metrics, isLogged: made % settings.logEvery == 0 || made == stage.totalSteps)
            let signal = Interruption.signal
            if signal != nil || settings.saveEvery.map({ made % $0 == 0 }) == true { try saveCheckpoint(made, digests) }
            if let signal {
                progress.finish()
                throw TrainingError(
                    "interrupted after step \(made); go on with `rto resume \(run.url.relativePath)`",
                    .interrupted(bySignal: signal)
                )
            }
        }
        progress.finish()
        try checkWeights(after: stage.totalSteps)
        try stage.export(to: run.url)
        run.removeTokens()
        note("\(stage.totalSteps) steps done; \(memory)the model is in \(run.url.relativePath)")
    }

    /// The error of a run that cannot go on for now, after a checkpoint of all that it has done.
    private func stopped(
        by failure: OutsideFailure,
        before step: Int,
        _ digests: [String: String]
    ) throws -> TrainingError {
        if step > 0, !run.checkpointSteps.contains(step) { try saveCheckpoint(step, digests) }
        return TrainingError(
            "\(failure.description); stopped after step \(step), go on with `rto resume \(run.url.relativePath)`"
        )
    }

    /// The largest resident size, beside the predicted one.
    private var memory: String {
        guard Memory.peakResidentBytes > 0 else { return "" }
        let predicted = prediction.map { " (predicted \(MemoryPrediction.text($0.peak)))" } ?? ""
        return "peak memory \(MemoryPrediction.text(Memory.peakResidentBytes))\(predicted); "
    }

    private func isEvaluated(after made: Int) -> Bool {
        made == stage.totalSteps || made % (settings.evaluateEvery ?? stage.stepsPerEpoch) == 0
    }

    /// Adds what every step reports to what the stage reports.
    private func timed(_ step: Int, _ body: () throws -> Metrics) throws -> Metrics {
        let start = ContinuousClock.now
        let found = try body()
        let elapsed = start.duration(to: .now)
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        guard found["loss"]?.isFinite != false else {
            throw TrainingError.diverged(step: step + 1, quantity: "the loss")
        }
        var metrics = Metrics()
        metrics["step"] = Double(step + 1)
        metrics["epoch"] = Double(step + 1) / Double(stage.stepsPerEpoch)
        metrics.append(found)
        metrics["tokens_per_second"] = (found["num_tokens"] ?? 0) / max(seconds, 1e-9)
        metrics["step_seconds"] = seconds
        metrics["peak_memory_bytes"] = Double(Memory.peakResidentBytes)
        return metrics
    }

    /// - Throws: `TrainingError` with status 75 where a weight is not finite: such a model must not be saved as a good one.
    private func checkWeights(after step: Int) throws {
        for learner in stage.learners where !learner.isFinite {
            throw TrainingError.diverged(step: step, quantity: "a weight of the \(learner.name)")
        }
    }

    /// - Parameter digests: Those of the rows that the run learns from.
    private func saveCheckpoint(_ step: Int, _ digests: [String: String]) throws {
        try checkWeights(after: step)
        try run.writeCheckpoint(step, keeping: settings.keepCheckpoints) { directory in
            try stage.saveModels(to: directory)
            for learner in stage.learners { try learner.saveOptimizer(to: directory) }
            let state = try stage.saveState()
            if !state.tensors.isEmpty {
                try writeTensors(state.tensors, to: directory.appending(path: Self.tensorsName))
            }
            var object = JSONObject()
            object["step"] = .integer(step)
            object["epoch"] = .number(Double(step) / Double(stage.stepsPerEpoch))
            object["seed"] = .integer(settings.seed)
            object["rows"] = .integer(stage.rowCount)
            var tokens = JSONObject()
            for (name, digest) in digests.sorted(by: { $0.key < $1.key }) { tokens[name] = .string(digest) }
            object["tokens"] = .object(tokens)
            object[Self.tensorsKey] = .array(state.tensors.map { .string($0.name) })
            for (key, value) in state.values.members { object[key] = value }
            let text = JSON.object(object).serialized(pretty: true) + "\n"
            try AtomicFile.write(Array(text.utf8), to: directory.appending(path: Self.stateName))
        }
    }

    /// The digests of the rows that a checkpoint has learned from, by the names of the data sets.
    ///
    /// - Throws: `TrainingError` where the checkpoint's state is damaged.
    static func tokenDigests(of directory: URL) throws -> [String: String] {
        var digests: [String: String] = [:]
        for (name, digest) in try values(of: directory)["tokens"]?.object?.members ?? [] {
            digests[name] = digest.string
        }
        return digests
    }

    private static func values(of directory: URL) throws -> JSONObject {
        let url = directory.appending(path: stateName)
        guard let data = FileManager.default.contents(atPath: url.path) else {
            throw TrainingError("\(url.path): the checkpoint has no \(stateName)")
        }
        do {
            // A metric of the rollout may be infinite.
            let options = JSONParsingOptions(allowsNonFiniteNumbers: true)
            return try JSON(parsing: [UInt8](data), options: options).object ?? JSONObject()
        } catch {
            throw TrainingError("\(url.path): \(error)")
        }
    }

    /// Gives a fresh stage the optimizers and the state of a checkpoint; its models were loaded from there.
    static func restore(_ stage: any Stage, from directory: URL) throws {
        for learner in stage.learners { try learner.restoreOptimizer(from: directory) }
        var state = StageState()
        state.values = try values(of: directory)
        if let rows = state.values["rows"]?.integer, rows != stage.rowCount {
            throw TrainingError(
                "the run was started on \(rows) usable rows of data and finds \(stage.rowCount) now; give it back its data"
            )
        }
        let tensorsURL = directory.appending(path: tensorsName)
        let saved = state.values[tensorsKey]?.array?.compactMap(\.string) ?? []
        if !saved.isEmpty || FileManager.default.fileExists(atPath: tensorsURL.path) {
            let file = try SafetensorsFile(url: tensorsURL)
            state.tensors = file.entries.compactMap { entry in file.tensor(entry.name).map { (entry.name, $0) } }
        }
        // A stage without them would go on as if at a rollout's beginning, and to another result.
        for name in saved where state.tensor(name) == nil {
            throw TrainingError("\(tensorsURL.path): the checkpoint's tensor \"\(name)\" is missing")
        }
        try stage.restore(state)
    }
}
