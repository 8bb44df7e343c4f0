import Configuration
import Foundation
import Synchronization

/// The person on the other side: lines of standard input, and ^C.
final class ChatTerminal {
    /// What the person does.
    enum Input: Equatable {
        /// A line without its end.
        case line(String)
        /// ^C, before a line was finished.
        case interruption
        /// Nothing follows.
        case end
    }

    private static let interruptions = Atomic<Int>(0)

    /// Whether somebody sits there, who is asked and told; a script is not.
    let isInteractive = isatty(STDIN_FILENO) == 1
    /// Whether answers go to a terminal, which obeys some characters and does not show them.
    private let showsAnswers = isatty(STDOUT_FILENO) == 1
    private var pending: [UInt8] = []
    private var hasEnded = false

    /// Listens to ^C from now on.
    init() {
        // Whoever started this process may have blocked it, which is inherited.
        var interruption = sigset_t()
        sigemptyset(&interruption)
        sigaddset(&interruption, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &interruption, nil)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in ChatTerminal.interruptions.add(1, ordering: .relaxed) }
        // Without SA_RESTART, so that waiting for a line ends too.
        action.sa_flags = 0
        sigaction(SIGINT, &action, nil)
    }

    /// Whether ^C came since this was asked last.
    func wasInterrupted() -> Bool { Self.interruptions.exchange(0, ordering: .relaxed) > 0 }

    /// Waits for a line.
    ///
    /// - Throws: `TrainingError` where standard input cannot be read.
    func next() throws -> Input {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = pending[..<end]
                pending.removeFirst(end + 1)
                return .line(String(decoding: line, as: UTF8.self))
            }
            if hasEnded {
                guard !pending.isEmpty else { return .end }
                defer { pending = [] }
                return .line(String(decoding: pending, as: UTF8.self))
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR {
                if wasInterrupted() { return .interruption }
                continue
            }
            guard count >= 0 else {
                throw TrainingError("standard input cannot be read: \(String(cString: strerror(errno)))")
            }
            pending += chunk[..<count]
            hasEnded = count == 0
        }
    }

    /// A part of an answer as it may go to standard output: on a terminal without what the terminal would obey.
    func shown(_ text: String) -> String { showsAnswers ? harmlessText(text) : text }

    /// Shows what goes before a line, to a person.
    func ask() {
        if isInteractive { try? FileHandle.standardError.write(contentsOf: Data("> ".utf8)) }
    }
}
