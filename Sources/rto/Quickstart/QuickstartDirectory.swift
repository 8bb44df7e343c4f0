import Configuration
import Foundation
import JSONText
import PocketWorld
import Safetensors

/// Where a quickstart keeps its files.
///
/// Paths begin with what the person gave as `--output`, so that printed commands can be repeated from the same place.
struct QuickstartDirectory {
    /// The directory, without a slash at its end.
    let path: String

    init(_ output: String) {
        let end = output.lastIndex { $0 != "/" }
        path = end.map { String(output[...$0]) } ?? output
    }

    /// The untrained model with its tokenizer.
    var model: String { path + "/world/model" }
    /// Judged pairs to learn from, and others to measure what was learned.
    var preferences: String { path + "/world/preferences.jsonl" }
    var heldOutPreferences: String { path + "/world/preferences-held-out.jsonl" }
    /// What came out, for programs and for people.
    var results: String { path + "/results.json" }
    var report: String { path + "/results.md" }

    /// A file of the world's corpus.
    func world(_ file: WorldCorpus.File) -> String { path + "/world/" + file.rawValue }

    /// The run directory of a stage.
    func run(_ name: String) -> String { path + "/runs/" + name }

    /// A file of sampled completions.
    func samples(_ name: String) -> String { path + "/samples/" + name + ".jsonl" }

    /// Makes the directory, or takes up that of an interrupted quickstart with the same options.
    ///
    /// - Throws: ``QuickstartError`` where it holds a finished quickstart, one with other options, or anything else.
    func claim(for configuration: QuickstartConfiguration) throws {
        let files = FileManager.default
        guard !files.fileExists(atPath: results) else {
            throw QuickstartError(
                "\(path): holds a finished quickstart, see \(report); choose another --output or delete it to run again"
            )
        }
        let options = JSON.object(Self.options(configuration, path)).serialized(pretty: true) + "\n"
        if let begun = files.contents(atPath: optionsPath) {
            guard begun == Data(options.utf8) else {
                throw QuickstartError(
                    "\(path): holds an interrupted quickstart with other options, see \(optionsPath); give the same ones "
                        + "to go on, or choose another --output"
                )
            }
        } else if files.fileExists(atPath: path) {
            guard let entries = try? files.contentsOfDirectory(atPath: path) else {
                throw QuickstartError("\(path): is a file or cannot be read; --output names a directory")
            }
            guard entries.allSatisfy({ $0.hasPrefix(".") }) else {
                throw QuickstartError("\(path): exists and is no quickstart; choose another --output or empty it first")
            }
        }
        for folder in [model, path + "/runs", path + "/samples"] { try makeFolder(folder) }
        try AtomicFile.write(Array(options.utf8), to: URL(filePath: optionsPath))
    }

    /// The options that decide what comes out.
    private var optionsPath: String { path + "/quickstart.json" }

    private static func options(_ configuration: QuickstartConfiguration, _ path: String) -> JSONObject {
        var options = JSONObject()
        options["version"] = .string(programVersion)
        options["output"] = .string(path)
        options["seed"] = .integer(configuration.seed)
        options["threads"] = .integer(configuration.threads)
        return options
    }

    private func makeFolder(_ folder: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw QuickstartError("\(folder): cannot be made: \(error.localizedDescription)")
        }
    }
}

/// Why a quickstart could not begin or go on.
struct QuickstartError: ExitStatusProviding, CustomStringConvertible {
    /// One sentence: what, where, what to do.
    let description: String
    let exitStatus: ExitStatus

    init(_ description: String, _ exitStatus: ExitStatus = .data) {
        self.description = description
        self.exitStatus = exitStatus
    }
}
