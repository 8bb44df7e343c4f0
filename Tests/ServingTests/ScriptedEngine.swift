import Serving
import Synchronization

/// An engine that writes what a test says, and remembers what it was asked.
final class ScriptedEngine: TextEngine, RewardEngine {
    /// What becomes of an order.
    enum Script: Sendable {
        /// These ids, as far as the order allows.
        case ids([Int])
        /// One id, and nothing more for as long as somebody listens.
        case stall(Int)
        /// There is no room.
        case full
    }

    private let script: @Sendable (SampleOrder) -> Script
    private let seen = Mutex<[SampleOrder]>([])
    private let left = Mutex(0)

    /// What every token and text is said to be worth instead of what its id says.
    private let fixedScore: Double?

    init(fixedScore: Double? = nil, _ script: @escaping @Sendable (SampleOrder) -> Script) {
        self.script = script
        self.fixedScore = fixedScore
    }

    /// Every order so far.
    var orders: [SampleOrder] { seen.withLock(\.self) }
    /// How many orders were left.
    var leaveCount: Int { left.withLock(\.self) }

    func sample(_ orders: [SampleOrder]) throws(APIError) -> Samples {
        seen.withLock { $0 += orders }
        let (events, continuation) = AsyncStream.makeStream(of: (place: Int, event: SampleEvent).self)
        for (place, order) in orders.enumerated() {
            if order.scoresPrompt {
                continuation.yield((place, .prompt(order.prompt.dropFirst().map { scored($0, order) })))
            }
            switch script(order) {
            case .full: throw .overloaded
            case .stall(let id): continuation.yield((place, .token(scored(id, order))))
            case .ids(let ids):
                var isStop = false
                for id in ids.prefix(order.maxNewTokens) where !isStop {
                    continuation.yield((place, .token(scored(id, order))))
                    isStop = order.stopTokens.contains(id)
                }
                continuation.yield((place, .end(isStop: isStop)))
            }
        }
        return Samples(events: events) { _ in self.left.withLock { $0 += 1 } }
    }

    func rewards(of sequences: [[Int]]) async throws -> [Double] { sequences.map { fixedScore ?? Double($0.count) } }

    /// Ids are as likely as they are small.
    private func scored(_ id: Int, _ order: SampleOrder) -> SampledToken {
        guard let count = order.alternatives else { return SampledToken(id: id) }
        return SampledToken(
            id: id,
            logProbability: fixedScore ?? -Double(id) / 100,
            alternatives: (0..<count).map { .init(id: 97 + $0, logProbability: -Double(97 + $0) / 100) }
        )
    }
}
