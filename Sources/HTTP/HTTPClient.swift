import Foundation
import JSONText
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Calls servers that speak JSON, patiently: with time-outs, size limits, retries, and respect for their rate limits.
///
/// Any number of tasks may call at once. When a server asks for silence, all of them keep it.
public final class HTTPClient: Sendable {
    private let settings: HTTPSettings
    private let transfers = Transfers()
    private let session: URLSession
    private let state: Mutex<State>

    private struct State {
        /// No call starts before this.
        var silentUntil = ContinuousClock.now
        /// The state of the waits' random numbers.
        var random: UInt64
    }

    /// A client with connections of its own.
    public init(_ settings: HTTPSettings = HTTPSettings()) {
        self.settings = settings
        state = Mutex(State(random: settings.seed))
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 1024
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        session = URLSession(configuration: configuration, delegate: transfers, delegateQueue: nil)
    }

    deinit { session.invalidateAndCancel() }

    /// The JSON that a server answers.
    ///
    /// - Parameter objection: what is wrong with an answer, so that it is asked for again; nil where nothing is.
    /// - Throws: ``HTTPError`` after every attempt that made sense, or when the task is cancelled.
    public func answer(
        _ request: HTTPRequest,
        objection: (JSON) -> String? = { _ in nil }
    ) async throws(HTTPError) -> JSON {
        var attempts = attempts(request)
        while true {
            do {
                try await Task.sleep(until: state.withLock(\.silentUntil))
                let outcome = await attempt(request)
                if Task.isCancelled { throw CancellationError() }
                switch try next(&attempts, after: outcome, objection) {
                case .answer(let answer): return answer
                case .wait(let seconds): try await Task.sleep(for: .seconds(seconds))
                }
            } catch let error as HTTPError {
                throw error
            } catch {
                throw attempts.error(.cancelled)
            }
        }
    }

    /// The JSON that a server answers, for callers that hold tensors and so cannot be `async`; blocks the thread.
    ///
    /// - Parameter objection: as for ``answer(_:objection:)``.
    /// - Throws: ``HTTPError`` after every attempt that made sense.
    public func blockingAnswer(
        _ request: HTTPRequest,
        objection: (JSON) -> String? = { _ in nil }
    ) throws(HTTPError) -> JSON {
        var attempts = attempts(request)
        while true {
            Self.block(for: state.withLock(\.silentUntil) - .now)
            switch try next(&attempts, after: blockingAttempt(request), objection) {
            case .answer(let answer): return answer
            case .wait(let seconds): Self.block(for: .seconds(seconds))
            }
        }
    }

    private func attempts(_ request: HTTPRequest) -> Attempts {
        Attempts(request, settings) { self.state.withLock { SplitMix64.uniform(&$0.random) } }
    }

    /// What follows from an outcome, after everybody has been told how long to keep silent.
    private func next(
        _ attempts: inout Attempts,
        after outcome: Transfers.Outcome,
        _ objection: (JSON) -> String?
    ) throws(HTTPError) -> Attempts.Next {
        if case .success(let response) = outcome, let seconds = RateLimit.silence(response.headers) {
            let until = ContinuousClock.now + .seconds(min(seconds, settings.patience))
            state.withLock { $0.silentUntil = max($0.silentUntil, until) }
        }
        return try attempts.next(after: outcome, objection)
    }

    private func attempt(_ request: HTTPRequest) async -> Transfers.Outcome {
        let task = Mutex<URLSessionTask?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let started = transfers.start(request, settings, in: session) { continuation.resume(returning: $0) }
                task.withLock { $0 = started }
                if Task.isCancelled { transfers.end(started, .failure(.cancelled)) }
            }
        } onCancel: {
            if let started = task.withLock({ $0 }) { transfers.end(started, .failure(.cancelled)) }
        }
    }

    private func blockingAttempt(_ request: HTTPRequest) -> Transfers.Outcome {
        let outcome = Mutex<Transfers.Outcome?>(nil)
        let arrived = DispatchSemaphore(value: 0)
        _ = transfers.start(request, settings, in: session) { result in
            outcome.withLock { $0 = result }
            arrived.signal()
        }
        arrived.wait()
        return outcome.withLock { $0 } ?? .failure(.cancelled)
    }

    private static func block(for duration: Duration) {
        if duration > .zero { Thread.sleep(forTimeInterval: duration / .seconds(1)) }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), whose whole state is one number.
private enum SplitMix64 {
    /// A number from 0 to below 1.
    static func uniform(_ state: inout UInt64) -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((bits ^ (bits >> 31)) >> 11) * 0x1p-53
    }
}
