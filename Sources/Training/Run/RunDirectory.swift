import Configuration
import Datasets
import Foundation
import JSONText
import Reporting
import Safetensors

/// A run's directory: recipe, metrics, samples, checkpoints and, at the end, a model that any tool loads.
///
/// Everything is written aside and renamed, so a run killed at any instant can be resumed.
public struct RunDirectory {
    /// The directory.
    public let url: URL

    /// The directory of a run that exists.
    ///
    /// - Throws: `TrainingError` where it holds no recipe.
    public init(existing path: String) throws {
        url = URL(filePath: path)
        guard files.isRun else { throw TrainingError("\(path): is no run, there is no \(RunFiles.recipeName) in it") }
    }

    /// Starts a run in a directory that is new or empty.
    ///
    /// - Throws: `TrainingError` where the directory holds a run or anything else, or cannot be made.
    public init(new path: String, recipe: Recipe) throws {
        url = URL(filePath: path)
        if files.isRun {
            throw TrainingError(
                "\(path): holds a run already; go on with `rto resume \(path)` or choose another --output"
            )
        }
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            if FileManager.default.fileExists(atPath: path) {
                throw TrainingError("\(path): is a file; --output names a directory")
            }
            try makeDirectory(url)
            try AtomicFile.write(Array(recipe.text.utf8), to: recipeURL)
            return
        }
        guard entries.allSatisfy({ $0.hasSuffix(".partial") || $0.hasPrefix(".") }) else {
            throw TrainingError("\(path): exists and is no run; choose another --output or empty it first")
        }
        try AtomicFile.write(Array(recipe.text.utf8), to: recipeURL)
    }

    /// What of it others read.
    private var files: RunFiles { RunFiles(directory: url) }

    /// The file of the resolved configuration.
    public var recipeURL: URL { files.recipe }

    /// Whether the final model is in place.
    public var isFinished: Bool { files.isFinished }

    /// Removes what a run that failed before its first step has made.
    func discard() {
        try? FileManager.default.removeItem(at: recipeURL)
        try? FileManager.default.removeItem(at: metricsURL)
        removeTokens()
        if (try? FileManager.default.contentsOfDirectory(atPath: url.path))?.isEmpty == true {
            try? FileManager.default.removeItem(at: url)
        }
    }

    // Tokens.

    private var tokensURL: URL { url.appending(path: "tokens") }

    /// The folder of the tokens that the data were made into.
    func tokensFolder() throws -> URL { try folder(tokensURL.lastPathComponent) }

    /// The digests of the rows that the run keeps, by the names of the data sets.
    func tokenDigests() throws -> [String: String] { try TokenFolder.digests(in: tokensURL) }

    /// Removes the tokens, which nobody needs once the run is finished.
    func removeTokens() { try? FileManager.default.removeItem(at: tokensURL) }

    // Metrics.

    private var metricsURL: URL { files.metrics }

    /// Appends one line to `metrics.jsonl`.
    func append(_ metrics: Metrics) throws { try append(Array(metrics.line.utf8), to: metricsURL) }

    /// Drops the lines of steps after the checkpoint that a run goes on from, and a line cut by a kill.
    func truncateMetrics(after step: Int) throws {
        guard let data = FileManager.default.contents(atPath: metricsURL.path) else { return }
        let kept = data.split(separator: UInt8(ascii: "\n")).filter { line in
            ((try? JSON(parsing: [UInt8](line)))?["step"]?.integer).map { $0 <= step } ?? false
        }
        try AtomicFile.write(kept.flatMap { [UInt8]($0) + [UInt8(ascii: "\n")] }, to: metricsURL)
    }

    // Samples and rollouts.

    /// The place of one step's samples.
    func samplesURL(step: Int) throws -> URL { try place(of: .samples, step: step) }

    /// The place of one step's recorded rollouts.
    func rolloutsURL(step: Int) throws -> URL { try place(of: .rollouts, step: step) }

    private func place(of kind: RunFiles.StepFile, step: Int) throws -> URL {
        try makeDirectory(files.folder(of: kind))
        return files.file(of: kind, step: step)
    }

    private func folder(_ name: String) throws -> URL {
        let folder = url.appending(path: name)
        try makeDirectory(folder)
        return folder
    }

    // Checkpoints.

    /// The steps of all complete checkpoints, ascending.
    var checkpointSteps: [Int] { files.checkpointSteps }

    /// The directory of a step's checkpoint.
    func checkpoint(_ step: Int) -> URL { files.checkpoint(step) }

    /// Writes a checkpoint beside its place, brings it to the disk, renames it, and removes the oldest ones.
    ///
    /// - Parameter keeping: how many checkpoints stay; 0 means all.
    func writeCheckpoint(_ step: Int, keeping: Int, _ body: (URL) throws -> Void) throws {
        let partial = url.appending(path: ".checkpoint-\(step).partial")
        let files = FileManager.default
        try? files.removeItem(at: partial)
        do {
            try makeDirectory(partial)
            try body(partial)
            try synchronize(partial)
            try? files.removeItem(at: checkpoint(step))
            guard rename(partial.path, checkpoint(step).path) == 0 else {
                throw systemError(checkpoint(step), "cannot be given its name")
            }
            try synchronize(url)
        } catch {
            try? files.removeItem(at: partial)
            throw error
        }
        guard keeping > 0 else { return }
        for old in checkpointSteps.dropLast(keeping) {
            // Renamed first: a checkpoint that is being removed must not look complete.
            let doomed = url.appending(path: ".checkpoint-\(old).partial")
            try? files.moveItem(at: checkpoint(old), to: doomed)
            try? files.removeItem(at: doomed)
        }
    }

    /// Removes what a killed run left half-written.
    func removePartialFiles() {
        for folder in [url, tokensURL] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            for name in names where name.hasSuffix(".partial") {
                try? FileManager.default.removeItem(at: folder.appending(path: name))
            }
        }
    }

    private func append(_ bytes: [UInt8], to file: URL) throws {
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { throw systemError(file, "cannot be opened") }
        defer { close(descriptor) }
        guard writeAll(bytes, to: descriptor) else { throw systemError(file, "cannot be written") }
    }

    private func synchronize(_ directory: URL) throws {
        let descriptor = open(directory.path, O_RDONLY)
        guard descriptor >= 0 else { throw systemError(directory, "cannot be opened") }
        defer { close(descriptor) }
        // Some file systems cannot do this for a directory, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw systemError(directory, "cannot be brought to the disk")
        }
    }
}
