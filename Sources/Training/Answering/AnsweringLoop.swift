import Models
import Objectives
import Serving
import Torch

/// The work of the thread that holds the tensors: samples and scores for everybody at once until it is told to stop.
struct AnsweringLoop {
    /// A sequence that is scored, and who asks.
    private struct RewardItem {
        let ticket: Int
        let place: Int
        let ids: [Int]
        let continuation: AsyncStream<(place: Int, reward: Double)>.Continuation
    }

    /// The most tokens that are scored at once, where that is more than one text.
    private static let rewardBudget = 4096

    private let queue: EngineQueue
    private var session: GenerationSession?
    private let reward: RewardJudge?
    private var listeners: [Int: (ticket: Int, listener: EngineQueue.Listener)] = [:]
    /// The session's numbers of tickets.
    private var numbers: [Int: Int] = [:]
    private var items: [RewardItem] = []

    init(_ queue: EngineQueue, session: GenerationSession?, reward: RewardJudge?) {
        self.queue = queue
        self.session = session
        self.reward = reward
    }

    /// Works until the queue is stopped; whoever still listens then hears no more.
    mutating func run() {
        while true {
            // A busy server's memory stays with it: the next request wants it again.
            let news = queue.news(waits: items.isEmpty && session?.isIdle ?? true, rest: Memory.returnSpare)
            for arrival in news.arrivals { join(arrival) }
            for job in news.jobs {
                items += job.sequences.enumerated().map {
                    RewardItem(ticket: job.ticket, place: $0, ids: $1, continuation: job.continuation)
                }
                if job.sequences.isEmpty { job.continuation.finish() }
            }
            for ticket in news.departures { leave(ticket) }
            if news.isStopped { return stop() }
            for step in session?.advance() ?? [] { tell(step) }
            if !items.isEmpty { score() }
        }
    }

    private mutating func join(_ arrival: EngineQueue.Arrival) {
        guard let number = session?.join(SequenceRequest(arrival.order)) else { return }
        listeners[number] = (arrival.ticket, arrival.listener)
        numbers[arrival.ticket] = number
    }

    private mutating func leave(_ ticket: Int) {
        if let number = numbers.removeValue(forKey: ticket) {
            session?.leave(number)
            listeners[number] = nil
            queue.sequencesLeft(1)
        } else if items.contains(where: { $0.ticket == ticket }) {
            items.removeAll { $0.ticket == ticket }
        }
    }

    private mutating func stop() {
        for (_, listener) in listeners.values { listener.continuation.finish() }
        for item in items { item.continuation.finish() }
    }

    private mutating func tell(_ step: SequenceStep) {
        guard let (ticket, listener) = listeners[step.id] else { return }
        if let scored = step.promptLikelihoods {
            listener.tell(.prompt(scored.map(SampledToken.init)))
        }
        if let choice = step.choice {
            listener.tell(.token(step.likelihood.map(SampledToken.init) ?? SampledToken(id: choice.token)))
        }
        guard let completion = step.completion else { return }
        listener.tell(.end(isStop: completion.isFinished))
        listeners[step.id] = nil
        numbers[ticket] = nil
        queue.sequencesLeft(1)
    }

    /// Scores as many of the texts that wait as go into one pass.
    private mutating func score() {
        guard let reward else { return items.removeAll() }
        var tokens = 0
        let count = items.prefix { item in
            tokens += item.ids.count
            return tokens <= Self.rewardBudget
        }.count
        let chosen = items.prefix(max(1, count))
        let batch = ResponseBatch(chosen.map { .init(prompt: $0.ids, response: []) })
        let scores = withoutGradients { reward.scores(batch).to(.cpu).floats }
        for (item, score) in zip(chosen, scores) { item.continuation.yield((item.place, Double(score))) }
        items.removeFirst(chosen.count)
    }
}

extension SequenceRequest {
    fileprivate init(_ order: SampleOrder) {
        let isGreedy = order.temperature == 0
        self.init(
            prompt: order.prompt,
            parameters: SamplingParameters(
                maxNewTokens: order.maxNewTokens,
                minNewTokens: order.minNewTokens,
                temperature: isGreedy ? 1 : order.temperature,
                topK: isGreedy ? 0 : order.topK,
                topP: isGreedy ? 1 : order.topP,
                isGreedy: isGreedy,
                stopTokens: order.stopTokens
            ),
            stream: RandomStream(seed: order.seed, index: UInt64(order.number)),
            alternatives: order.alternatives,
            scoresPrompt: order.scoresPrompt
        )
    }
}

extension SampledToken {
    fileprivate init(_ likelihood: TokenLikelihood) {
        self.init(
            id: likelihood.token,
            logProbability: Double(likelihood.logProbability),
            alternatives: likelihood.alternatives.map {
                Alternative(id: $0.token, logProbability: Double($0.logProbability))
            }
        )
    }
}
