import Configuration
import Foundation

/// Headings on standard error: which step begins, after how long, and the command that does the same.
struct QuickstartProgress {
    private let stepCount: Int
    private let start = ContinuousClock.now
    private var step = 0

    init(stepCount: Int) { self.stepCount = stepCount }

    /// Announces the next step.
    mutating func begin(_ title: String, command: [String]? = nil) {
        step += 1
        say("\n[\(step)/\(stepCount)] \(elapsed)  \(title)")
        if let command {
            let text = CommandLineText.shell(command)
            say(text.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
        }
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
