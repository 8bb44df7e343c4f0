import Foundation
import JSONText
import Safetensors

/// The file that `rto generate` writes, with which a command that was killed goes on where it stopped.
///
/// Lines are appended to `.NAME.partial`, which gets its name when it is complete. `NAME.recipe.yaml` beside it says how the lines
/// were sampled; a file with another recipe is refused.
final class CompletionFile {
    /// How many lines stood already.
    let lineCount: Int
    /// Whether nothing is left to do.
    let isComplete: Bool
    private let url: URL
    private let partial: URL
    private let descriptor: Int32

    /// Opens the file of a path, and drops what a killed command wrote of its last line.
    ///
    /// - Throws: `TrainingError` where the file was sampled otherwise, or another process writes it.
    init(path: String, recipe: String) throws {
        url = URL(filePath: path)
        partial = url.deletingLastPathComponent().appending(path: ".\(url.lastPathComponent).partial")
        let record = URL(filePath: path + ".recipe.yaml")
        let files = FileManager.default
        isComplete = files.fileExists(atPath: url.path)
        if isComplete || files.fileExists(atPath: partial.path) {
            try Self.compare(files.contents(atPath: record.path), with: recipe, of: path)
        } else {
            try AtomicFile.write(Array(recipe.utf8), to: record)
        }
        guard !isComplete else {
            (lineCount, descriptor) = (0, -1)
            return
        }
        let descriptor = open(partial.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw systemError(url, "cannot be written") }
        do {
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw TrainingError("\(path): another process is writing this file; wait for it or stop it first")
            }
            lineCount = try Self.repair(descriptor, partial)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ line: String) throws {
        guard writeAll(Array(line.utf8), to: descriptor) else { throw systemError(url, "cannot be written") }
    }

    /// Brings the lines to the disk and gives the file its name.
    func finish() throws {
        guard fsync(descriptor) == 0, rename(partial.path, url.path) == 0 else {
            throw systemError(url, "cannot be written")
        }
    }

    /// Cuts off everything from the first line on that is not whole, and returns how many are.
    private static func repair(_ descriptor: Int32, _ partial: URL) throws -> Int {
        let data = FileManager.default.contents(atPath: partial.path) ?? Data()
        var (count, end) = (0, 0)
        while let newline = data[end...].firstIndex(of: UInt8(ascii: "\n")),
            (try? JSON(parsing: [UInt8](data[end..<newline]), options: .init(allowsNonFiniteNumbers: true))) != nil
        {
            (count, end) = (count + 1, newline + 1)
        }
        guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, 0, SEEK_END) == off_t(end) else {
            throw systemError(partial, "cannot be mended")
        }
        return count
    }

    private static func compare(_ recorded: Data?, with recipe: String, of path: String) throws {
        let remedy = "choose another --output, or remove it"
        guard let recorded else {
            throw TrainingError("\(path): stands already, and nothing says how it was sampled; \(remedy)")
        }
        let text = String(decoding: recorded, as: UTF8.self)
        guard text != recipe else { return }
        let difference = zip(lines(text), lines(recipe)).first { $0 != $1 }
        let words = difference.map { "\($0) there, \($1) here" } ?? "settings that only one of the two has"
        throw TrainingError("\(path): was sampled otherwise (\(words)); \(remedy)")
    }

    /// The settings without the remarks behind them.
    private static func lines(_ recipe: String) -> [String] {
        recipe.split(separator: "\n").map { line in
            line.split(separator: " # ").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        }
    }
}
