import Foundation
import Safetensors

/// Where a command writes its lines: a file that appears when it is complete, or standard output.
final class LineOutput {
    private let file: AtomicFile?

    /// Lines to a file, or to standard output where no path is given.
    init(path: String?) throws {
        file = try path.map { try AtomicFile(url: URL(filePath: $0)) }
    }

    func write(_ line: String) throws {
        if let file {
            try file.append(Array(line.utf8))
        } else {
            try writeToStandardOutput(line)
        }
    }

    /// Gives the file its name.
    func finish() throws { try file?.commit() }
}

/// Lines that become ready out of order, handed on in order.
struct OrderedLines {
    private var waiting: [Int: String] = [:]
    private var next: Int

    /// Lines of which the first to be handed on has this number.
    init(from first: Int) { next = first }

    mutating func put(_ line: String, at index: Int, _ write: (String) throws -> Void) rethrows {
        waiting[index] = line
        while let ready = waiting.removeValue(forKey: next) {
            next += 1
            try write(ready)
        }
    }
}

/// Writes to standard output; a closed pipe or a full disk is an error and not a trap.
///
/// - Throws: an error that says why.
public func writeToStandardOutput(_ text: String) throws {
    guard writeAll(Array(text.utf8), to: STDOUT_FILENO) else {
        throw TrainingError("standard output cannot be written: \(String(cString: strerror(errno)))")
    }
}
