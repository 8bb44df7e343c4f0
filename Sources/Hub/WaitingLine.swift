import Dispatch
import HTTP
import Synchronization

/// What is said, in place of silence, about a question that takes long.
final class WaitingLine: Sendable {
    private let sentence: String
    /// Seconds that nobody need be told of.
    private let patience: Double
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var reason: String?
        /// Whether a line has been written, or the answer is there and none is wanted any more.
        var hasSpoken = false
        var hasGivenReason = false
    }

    init(_ sentence: String, patience: Double, write: @escaping @Sendable (String) -> Void) {
        (self.sentence, self.patience, self.write) = (sentence, patience, write)
    }

    /// The question has taken long.
    func hasTakenLong() {
        let line = state.withLock { state -> String? in
            if state.hasSpoken { return nil }
            (state.hasSpoken, state.hasGivenReason) = (true, state.reason != nil)
            return sentence + (state.reason ?? "")
        }
        if let line { write(line + "\n") }
    }

    /// The question is asked again after so many seconds, which is said at once where they are many.
    func waits(_ seconds: Double, after problem: HTTPProblem) {
        let reason = " (\(problem); asking again after \(Int(min(seconds, 1e9).rounded(.up))) s)"
        let line = state.withLock { state -> String? in
            state.reason = reason
            guard seconds >= patience, !state.hasGivenReason else { return nil }
            (state.hasSpoken, state.hasGivenReason) = (true, true)
            return sentence + reason
        }
        if let line { write(line + "\n") }
    }

    /// Asks, and says so where the answer does not come soon.
    func during<Answer: Sendable>(
        _ question: (@escaping HTTPClient.WaitListener) async throws -> Answer
    ) async rethrows -> Answer {
        // Not a task: the threads of tasks may all be busy for as long as the question takes.
        DispatchQueue.global().asyncAfter(deadline: .now() + patience) { [weak self] in self?.hasTakenLong() }
        defer { state.withLock { $0.hasSpoken = true } }
        return try await question { problem, seconds in self.waits(seconds, after: problem) }
    }
}
