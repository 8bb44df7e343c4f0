import Configuration
import Foundation

/// Headings on standard error: which step begins, after how long, and the command that does the same.
struct StepProgress {
    private let stepCount: Int
    private let start = ContinuousClock.now
    private var step = 0

    init(stepCount: Int) { self.stepCount = stepCount }

    /// Announces the next step, and says whether there is anything to do.
    ///
    /// - Parameters:
    ///   - command: what a person would type to the same end
    ///   - path: what the step leaves behind when it is done
    @discardableResult
    mutating func begins(_ title: String, command: [String] = [], unless path: String? = nil) -> Bool {
        step += 1
        let isDone = path.map { FileManager.default.fileExists(atPath: $0) } ?? false
        say("\n[\(step)/\(stepCount)] \(elapsed)  \(title)" + (isDone ? " (done before)" : ""))
        if !command.isEmpty, !isDone {
            let lines = CommandLineText.shell(command).split(separator: "\n")
            say(lines.map { "    " + $0 }.joined(separator: "\n"))
        }
        return !isDone
    }

    /// Writes a line.
    func say(_ text: String) {
        // Nobody is told where nobody listens.
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }

    /// Minutes and seconds since the beginning.
    var elapsed: String {
        let seconds = Int((ContinuousClock.now - start).components.seconds)
        return String(format: "%d:%02d", seconds / 60, seconds % 60)
    }
}
