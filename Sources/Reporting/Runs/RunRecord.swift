import Configuration
import Foundation
import Tokenizers

/// Everything that a report says of one run.
struct RunRecord: Sendable {
    let url: URL
    let recipe: RecipeRecord
    /// The beginning of the recipe's file.
    let recipeText: String
    var metrics: RunMetrics
    let isFinished: Bool
    /// When the last step was written.
    let lastWritten: Date?
    /// The first and the last samples and what lies between them, as far as the bounds allow.
    let samples: [RunSamples]
    /// The steps that have samples.
    let sampleStepCount: Int
    /// The first and the last saved rollout.
    let credits: [TokenCredit]
    let tokenizer: Tokenizer?
    /// Sentences about what could not be used.
    let notes: [String]

    /// How much of a run is read for a page.
    struct Bounds {
        var sampleSteps = 3
        var samples = 4
        var responses = 4
        /// The most tokens that are shown of one response.
        var tokens = 256

        /// Less of each run where there are many of them.
        init(runCount: Int) {
            guard runCount > 4 else { return }
            (sampleSteps, samples, responses, tokens) = (2, 2, 2, 128)
            guard runCount > 16 else { return }
            (samples, responses, tokens) = (1, 1, 64)
        }
    }

    /// Reads a run directory.
    ///
    /// Samples and rollouts that cannot be read are left out, with a note.
    ///
    /// - Throws: an error of one sentence for a directory that is no run, has no metrics yet, or whose recipe or metrics are damaged.
    init(path: String, bounds: Bounds, snapshot: (_ name: String) -> URL? = { _ in nil }) throws {
        let files = RunFiles(directory: URL(filePath: path))
        guard files.isRun else {
            let isThere = FileManager.default.fileExists(atPath: path)
            let reason = isThere ? "is no run, there is no \(RunFiles.recipeName) in it" : "there is no such directory"
            throw ReportingError("\(path): \(reason)")
        }
        url = files.directory
        recipe = try RecipeRecord(path: files.recipe.relativePath)
        recipeText = (try? textFile(files.recipe.path)) ?? ""
        metrics = try RunMetrics(file: files.metrics)
        isFinished = files.isFinished
        lastWritten =
            (try? files.metrics.resourceValues(forKeys: [.contentModificationDateKey]))?.contentModificationDate
        var notes: [String] = []
        func parts<Part>(_ kind: RunFiles.StepFile, _ steps: [Int], _ read: (URL, Int) throws -> Part) -> [Part] {
            steps.compactMap { step in
                do { return try read(files.file(of: kind, step: step), step) } catch {
                    notes.append("The \(kind.rawValue) of step \(step) are left out: \(error)")
                    return nil
                }
            }
        }
        let steps = files.steps(of: .samples)
        sampleStepCount = steps.count
        samples = parts(.samples, Self.spread(steps, count: bounds.sampleSteps)) { file, step in
            try RunSamples(file: file, step: step, limit: bounds.samples)
        }
        credits = parts(.rollouts, Self.spread(files.steps(of: .rollouts), count: 2)) { file, step in
            try TokenCredit(file: file, step: step, responses: bounds.responses, tokens: bounds.tokens)
        }
        let hasTokens = !credits.isEmpty || samples.contains { $0.samples.contains(where: \.hasIDs) }
        let (tokenizer, problem) = hasTokens ? Self.tokenizer(files, recipe, snapshot) : (nil, nil)
        self.tokenizer = tokenizer
        self.notes = notes + [problem].compactMap(\.self)
    }

    /// The first and the last of some steps, and those between them at equal distances.
    private static func spread(_ steps: [Int], count: Int) -> [Int] {
        guard steps.count > count else { return steps }
        return (0..<count).map { steps[$0 * (steps.count - 1) / (count - 1)] }
    }

    /// The run's own tokenizer, that of its newest checkpoint, or that of the model that it started from.
    private static func tokenizer(
        _ files: RunFiles,
        _ recipe: RecipeRecord,
        _ snapshot: (_ name: String) -> URL?
    ) -> (Tokenizer?, problem: String?) {
        let base = recipe.workingDirectory.map { URL(filePath: $0, directoryHint: .isDirectory) }
        let named = ["tokenizer", "model"].compactMap { recipe[$0] }.flatMap { name in
            [URL(filePath: name, relativeTo: base), snapshot(name)]
        }
        let newest = files.checkpointSteps.last.map(files.checkpoint)
        let places = ([files.directory, newest] + named).compactMap(\.self)
        guard let place = places.first(where: { Tokenizer.exists(in: $0) }) else {
            return (nil, "There is no tokenizer here, so tokens are shown by their ids.")
        }
        do throws(TokenizerError) {
            return (try Tokenizer(directory: place), nil)
        } catch {
            return (nil, "Tokens are shown by their ids, since the tokenizer cannot be used: \(error)")
        }
    }
}

extension RunSamples.Sample {
    fileprivate var hasIDs: Bool {
        for case .ids in [prompt, completion] { return true }
        return false
    }
}
