import Foundation
import Serving
import Synchronization

/// What the threads that read requests and the one that holds the tensors tell each other.
///
/// Requests come from any thread; one thread takes them, and is woken when there is something to take.
final class EngineQueue: TextEngine, RewardEngine, Sendable {
    /// A sequence to sample, and who listens.
    struct Arrival: Sendable {
        let ticket: Int
        let order: SampleOrder
        let listener: Listener
    }

    /// Who is told what becomes of a sequence.
    struct Listener: Sendable {
        let place: Int
        let continuation: AsyncStream<(place: Int, event: SampleEvent)>.Continuation

        func tell(_ event: SampleEvent) { continuation.yield((place, event)) }
    }

    /// Sequences to score.
    struct RewardJob: Sendable {
        let ticket: Int
        let sequences: [[Int]]
        let continuation: AsyncStream<(place: Int, reward: Double)>.Continuation
    }

    /// What came since the last time.
    struct News: Sendable {
        var arrivals: [Arrival] = []
        var jobs: [RewardJob] = []
        /// Tickets of those whose rest nobody wants.
        var departures: [Int] = []
        var isStopped = false
    }

    private struct State {
        var news = News()
        var lastTicket = 0
        var sampledCount = 0
        var jobCount = 0
    }

    private let state = Mutex(State())
    private let bell = DispatchSemaphore(value: 0)
    private let sampleLimit: Int
    private let jobLimit: Int

    /// A queue for so many sequences, those under way counted, and so many requests for rewards.
    init(sampleLimit: Int, jobLimit: Int) {
        self.sampleLimit = sampleLimit
        self.jobLimit = jobLimit
    }

    func sample(_ orders: [SampleOrder]) throws(APIError) -> Samples {
        let (events, continuation) = AsyncStream.makeStream(of: (place: Int, event: SampleEvent).self)
        let first = try state.withLock { (state) throws(APIError) -> Int in
            guard !state.news.isStopped else { throw .stopping }
            // While there is room for one, a request with many comes in too, so that none is too large for ever.
            guard state.sampledCount < sampleLimit else { throw .overloaded }
            let first = state.lastTicket + 1
            for (place, order) in orders.enumerated() {
                let listener = Listener(place: place, continuation: continuation)
                state.news.arrivals.append(Arrival(ticket: first + place, order: order, listener: listener))
            }
            state.lastTicket += orders.count
            state.sampledCount += orders.count
            return first
        }
        bell.signal()
        return Samples(events: events) { place in self.leave(first + place) }
    }

    func rewards(of sequences: [[Int]]) async throws -> [Double] {
        let (results, continuation) = AsyncStream.makeStream(of: (place: Int, reward: Double).self)
        let ticket = try state.withLock { (state) throws(APIError) -> Int in
            guard !state.news.isStopped else { throw .stopping }
            guard state.jobCount < jobLimit else { throw .overloaded }
            state.lastTicket += 1
            state.jobCount += 1
            state.news.jobs.append(
                RewardJob(ticket: state.lastTicket, sequences: sequences, continuation: continuation)
            )
            return state.lastTicket
        }
        bell.signal()
        defer {
            state.withLock { $0.jobCount -= 1 }
            leave(ticket)
        }
        var rewards = [Double](repeating: 0, count: sequences.count)
        var missing = sequences.count
        for await (place, reward) in results where missing > 0 {
            rewards[place] = reward
            missing -= 1
            if missing == 0 { break }
        }
        try Task.checkCancellation()
        guard missing == 0 else { throw APIError.stopping }
        return rewards
    }

    private func leave(_ ticket: Int) {
        state.withLock { $0.news.departures.append(ticket) }
        bell.signal()
    }

    /// Makes room for others.
    func sequencesLeft(_ count: Int) { state.withLock { $0.sampledCount -= count } }

    /// Ends the thread that takes.
    func stop() {
        state.withLock { $0.news.isStopped = true }
        bell.signal()
    }

    /// Everything that came since the last time.
    ///
    /// - Parameters:
    ///   - waits: whether to wait until something comes, as there is nothing else to do
    ///   - patience: how long nothing comes until the rest begins
    ///   - rest: what is done once then, before the wait goes on
    func news(waits: Bool, patience: DispatchTimeInterval = .seconds(10), rest: () -> Void) -> News {
        if waits, bell.wait(timeout: .now() + patience) == .timedOut {
            rest()
            bell.wait()
        }
        return state.withLock { state in
            defer {
                let isStopped = state.news.isStopped
                state.news = News()
                state.news.isStopped = isStopped
            }
            return state.news
        }
    }
}
