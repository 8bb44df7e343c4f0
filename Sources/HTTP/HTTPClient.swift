import Foundation
import JSONText
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Calls servers, patiently: with time-outs, size limits, retries, and respect for their rate limits.
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
        return try await repeating(&attempts, { _ in await self.attempt(request) }, { $0.json(objection) })
    }

    /// Hears of each wait before another attempt: what went wrong with the last one, and the seconds.
    public typealias WaitListener = @Sendable (HTTPProblem, Double) -> Void

    /// A server's answer whatever its status, unless a later one may be better.
    ///
    /// - Throws: ``HTTPError`` where no such answer came after every attempt that made sense, or when the task is cancelled.
    public func response(
        _ request: HTTPRequest,
        beforeWait: WaitListener? = nil
    ) async throws(HTTPError) -> HTTPResponse {
        var attempts = attempts(request)
        return try await repeating(&attempts, { _ in await self.attempt(request) }, \.lasting, beforeWait)
    }

    /// Brings what a server sends into a target, and goes on behind what is there already, after a failure as at the start.
    ///
    /// Attempts are counted anew whenever one got a good deal further.
    ///
    /// - Returns: the answer without its body; with a status other than 200 or 206 the target holds what it held.
    /// - Throws: ``HTTPError`` as ``response(_:)`` does; the target then keeps what has arrived.
    public func download(
        _ request: HTTPRequest,
        into target: any DownloadTarget,
        beforeWait: WaitListener? = nil
    ) async throws(HTTPError) -> HTTPResponse {
        var attempts = attempts(request)
        var furthest = target.byteCount
        return try await repeating(
            &attempts,
            { attempts in
                let outcome = await self.attempt(request, behindAllIn: target)
                if target.byteCount >= furthest + Self.goodDeal {
                    furthest = target.byteCount
                    attempts.progressed()
                }
                return outcome
            },
            \.lasting,
            beforeWait
        )
    }

    /// One attempt to bring what a target lacks, in as many transfers as it takes.
    private func attempt(_ request: HTTPRequest, behindAllIn target: any DownloadTarget) async -> Transfers.Outcome {
        while true {
            let before = target.byteCount
            var request = request
            request.headers["Accept-Encoding"] = "identity"
            request.headers["Range"] = settings.range(behind: before, of: target.expectedCount)
            let outcome = await attempt(request, into: target)
            guard case .success(let response) = outcome, response.status == 206, let whole = target.expectedCount,
                target.byteCount > before, target.byteCount < whole
            else { return outcome }
        }
    }

    /// The bytes by which a download must have got further for its failures to be forgotten.
    private static let goodDeal = 1 << 20

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
            switch try next(&attempts, after: blockingAttempt(request), { $0.json(objection) }) {
            case .answer(let answer): return answer
            case .wait(let seconds, _): Self.block(for: .seconds(seconds))
            }
        }
    }

    private func attempts(_ request: HTTPRequest) -> Attempts {
        Attempts(request, settings) { self.state.withLock { SplitMix64.uniform(&$0.random) } }
    }

    /// Makes attempts, each at its time, until one brings an answer.
    private func repeating<Answer>(
        _ attempts: inout Attempts,
        _ attempt: (inout Attempts) async -> Transfers.Outcome,
        _ reading: (HTTPResponse) -> Result<Answer, HTTPProblem>,
        _ beforeWait: WaitListener? = nil
    ) async throws(HTTPError) -> Answer {
        while true {
            do {
                try await Task.sleep(until: state.withLock(\.silentUntil))
                let outcome = await attempt(&attempts)
                if Task.isCancelled { throw CancellationError() }
                switch try next(&attempts, after: outcome, reading) {
                case .answer(let answer): return answer
                case .wait(let seconds, let problem):
                    beforeWait?(problem, seconds)
                    try await Task.sleep(for: .seconds(seconds))
                }
            } catch let error as HTTPError {
                throw error
            } catch {
                throw attempts.error(.cancelled)
            }
        }
    }

    /// What follows from an outcome, after everybody has been told how long to keep silent.
    private func next<Answer>(
        _ attempts: inout Attempts,
        after outcome: Transfers.Outcome,
        _ reading: (HTTPResponse) -> Result<Answer, HTTPProblem>
    ) throws(HTTPError) -> Attempts.Next<Answer> {
        if case .success(let response) = outcome, let seconds = RateLimit.silence(response.headers) {
            let until = ContinuousClock.now + .seconds(min(seconds, settings.patience))
            state.withLock { $0.silentUntil = max($0.silentUntil, until) }
        }
        return try attempts.next(after: outcome, reading)
    }

    /// One attempt, with the redirections that belong to it.
    private func attempt(_ request: HTTPRequest, into target: (any DownloadTarget)? = nil) async -> Transfers.Outcome {
        var request = request
        for _ in 0...HTTPRequest.redirectionLimit {
            let outcome = await transfer(request, into: target)
            guard case .success(let response) = outcome else { return outcome }
            do throws(HTTPProblem) {
                guard let next = try request.redirected(by: response) else { return outcome }
                request = next
            } catch {
                return .failure(error)
            }
        }
        return .failure(.unexpected("redirects more than \(HTTPRequest.redirectionLimit) times", excerpt: ""))
    }

    private func transfer(_ request: HTTPRequest, into target: (any DownloadTarget)?) async -> Transfers.Outcome {
        let task = Mutex<URLSessionTask?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let started = transfers.start(request, settings, in: session, into: target) {
                    continuation.resume(returning: $0)
                }
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
        _ = transfers.start(request, settings, in: session, into: nil) { result in
            outcome.withLock { $0 = result }
            arrived.signal()
        }
        arrived.wait()
        let result = outcome.withLock { $0 } ?? .failure(.cancelled)
        guard case .success(let response) = result, response.redirection != nil else { return result }
        do throws(HTTPProblem) {
            _ = try request.redirected(by: response)
            return result
        } catch {
            return .failure(error)
        }
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
