import Foundation

/// The files of a run directory that others than the run itself read.
public struct RunFiles: Sendable {
    /// The run directory.
    public let directory: URL

    /// The name of the file with the resolved configuration, by which a directory is known as a run.
    public static let recipeName = "recipe.yaml"

    /// A file of which there is one for some steps, in a folder of its own.
    public enum StepFile: String, Sendable {
        /// Prompts and completions, one a line.
        case samples
        /// Everything of a rollout.
        case rollouts

        var suffix: String { self == .samples ? ".jsonl" : ".safetensors" }
    }

    /// The files of a directory, which need not be there.
    public init(directory: URL) { self.directory = directory }

    /// The resolved configuration.
    public var recipe: URL { directory.appending(path: Self.recipeName) }

    /// One object for each optimizer step, one a line.
    public var metrics: URL { directory.appending(path: "metrics.jsonl") }

    /// Whether the directory is a run.
    public var isRun: Bool { exists(Self.recipeName) }

    /// Whether the final model is in place: of a whole model `config.json` is written last, of an adapter `adapter_config.json`.
    public var isFinished: Bool {
        // A reward model's adapter has a config.json too, between its weights and the file that comes last.
        exists("adapter_config.json") || (exists("config.json") && !exists("adapter_model.safetensors"))
    }

    private func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(path: name).path)
    }

    /// The folder of the files of a kind.
    public func folder(of kind: StepFile) -> URL { directory.appending(path: kind.rawValue) }

    /// The file of a kind that belongs to a step.
    public func file(of kind: StepFile, step: Int) -> URL {
        folder(of: kind).appending(path: "step-\(step)\(kind.suffix)")
    }

    /// The steps that have a file of a kind, ascending.
    public func steps(of kind: StepFile) -> [Int] {
        numbers(in: folder(of: kind), prefix: "step-", suffix: kind.suffix)
    }

    /// The steps of all complete checkpoints, ascending.
    public var checkpointSteps: [Int] { numbers(in: directory, prefix: "checkpoint-", suffix: "") }

    /// The directory of a step's checkpoint.
    public func checkpoint(_ step: Int) -> URL { directory.appending(path: "checkpoint-\(step)") }

    private func numbers(in folder: URL, prefix: String, suffix: String) -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix),
                let number = Int(name.dropFirst(prefix.count).dropLast(suffix.count)), number >= 0,
                // Of the ways to write a number, as `007`, the program's own alone leads back to the file.
                name == prefix + String(number) + suffix
            else { return nil }
            return number
        }.sorted()
    }
}
