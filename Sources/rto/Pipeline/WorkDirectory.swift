import Configuration
import Foundation
import JSONText
import Safetensors

/// The directory that a command of many steps fills, and from which the same command goes on after an interruption.
///
/// Paths begin with what the person gave as `--output`, so that printed commands can be repeated from the same place.
struct WorkDirectory {
    /// The directory, without a slash at its end.
    let path: String
    /// What a person calls the work: "quickstart".
    let noun: String

    init(_ output: String, noun: String) {
        let end = output.lastIndex { $0 != "/" }
        path = end.map { String(output[...$0]) } ?? output
        self.noun = noun
    }

    /// What came out, for programs and for people.
    var results: String { path + "/results.json" }
    var report: String { path + "/results.md" }
    /// The options that decide what comes out.
    var options: String { path + "/\(noun).json" }

    /// Makes the directory, or takes up that of begun work with the same options.
    ///
    /// - Parameters:
    ///   - options: what decides which files are made, and how
    ///   - canGrow: whether finished work may be taken up too, since more can be asked for with the same options
    /// - Throws: ``PipelineError`` where it holds finished work that cannot grow, work with other options, or anything else.
    func claim(for options: JSONObject, canGrow: Bool = false) throws {
        let files = FileManager.default
        guard canGrow || !files.fileExists(atPath: results) else {
            throw PipelineError(
                "\(path): holds a finished \(noun), see \(report); choose another --output or delete it to run again"
            )
        }
        var options = options
        options["version"] = .string(programVersion)
        options["output"] = .string(path)
        let text = JSON.object(options).serialized(pretty: true) + "\n"
        if let begun = files.contents(atPath: self.options) {
            guard begun == Data(text.utf8) else {
                throw PipelineError(
                    "\(path): holds a begun \(noun) with other options, see \(self.options); give the same ones "
                        + "to go on, or choose another --output"
                )
            }
        } else if files.fileExists(atPath: path) {
            guard let entries = try? files.contentsOfDirectory(atPath: path) else {
                throw PipelineError("\(path): is a file or cannot be read; --output names a directory")
            }
            guard entries.allSatisfy({ $0.hasPrefix(".") }) else {
                throw PipelineError("\(path): exists and is no \(noun); choose another --output or empty it first")
            }
        }
        try makeFolder(path)
        try AtomicFile.write(Array(text.utf8), to: URL(filePath: self.options))
    }
}

/// Makes a folder and those it is in, where they are missing.
func makeFolder(_ path: String) throws {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw PipelineError("\(path): cannot be made: \(error.localizedDescription)")
    }
}
