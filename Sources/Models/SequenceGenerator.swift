import Foundation
import Torch

/// One sampled continuation of a prompt.
public struct Completion: Sendable {
    /// The sampled ids, a stop token included.
    public var tokens: [Int] = []
    /// log π of each sampled id, at the sampling temperature.
    public var logProbabilities: [Float] = []
    /// Entropy of the distribution that each id was sampled from, in nats, before filters.
    public var entropies: [Float] = []
    /// log π of the parameters' reported token in the place of the last sampled id; not a number where none is asked for.
    public var reportedLogProbability = Float.nan
    /// Whether a stop token ended it; otherwise the length limit did.
    public var isFinished = false

    mutating func append(_ choice: TokenChoice) {
        tokens.append(choice.token)
        logProbabilities.append(choice.logProbability)
        entropies.append(choice.entropy)
        reportedLogProbability = choice.reportedLogProbability
    }
}

/// Samples continuations: prompts are read as one ragged batch, their samples share the reading, finished sequences leave
/// and waiting ones join.
public struct SequenceGenerator {
    /// How many sequences are sampled at once unless another number is given.
    public static let defaultConcurrency = 256
    /// How many bytes their cache may take unless another number is given.
    public static let defaultCacheBytes = 2 << 30

    private let model: LanguageModel
    private let parameters: SamplingParameters
    private let slotLimit: Int
    private let cacheBytes: Int
    private let prefillBudget = 8192

    /// Ends a completion where it answers true for the tokens so far; for stops that are texts and not tokens.
    public var endsCompletion: (([Int]) -> Bool)?

    /// A generator that samples at most `concurrency` sequences at once, fewer where their cache would pass `cacheBytes`.
    public init(
        _ model: LanguageModel,
        _ parameters: SamplingParameters,
        concurrency: Int = defaultConcurrency,
        cacheBytes: Int = defaultCacheBytes
    ) throws {
        self.model = try model.samplingView()
        self.parameters = parameters
        slotLimit = concurrency
        self.cacheBytes = cacheBytes
    }

    /// Continues every prompt `samplesPerPrompt` times; sample `s` of prompt `p` is at `p · samplesPerPrompt + s`.
    ///
    /// - Parameters:
    ///   - prompts: token ids, at least one each
    ///   - seed: with `firstIndex`, decides every sample, whatever runs beside it
    ///   - firstIndex: the number of the first sequence among all of a run
    ///   - start: the sequence to begin with; those before it stay empty
    ///   - finished: called with each sequence's index when it is complete
    public func generate(
        _ prompts: [[Int]],
        samplesPerPrompt: Int = 1,
        seed: UInt64,
        firstIndex: UInt64 = 0,
        startingAt start: Int = 0,
        finished: (Int, Completion) throws -> Void = { _, _ in }
    ) throws -> [Completion] {
        precondition(prompts.allSatisfy { !$0.isEmpty }, "a prompt holds at least one token")
        let (count, isTooLarge) = prompts.count.multipliedReportingOverflow(by: samplesPerPrompt)
        guard !isTooLarge, count <= Int(Int32.max) else {
            throw ModelError(
                "\(prompts.count) prompts",
                "\(samplesPerPrompt) samples of each are too many; lower --samples-per-prompt"
            )
        }
        guard count > start, parameters.maxNewTokens > 0 else { return Array(repeating: Completion(), count: count) }
        let longest = prompts.map(\.count).max() ?? 0
        try checkMemory(longestPrompt: longest)
        // The last sampled token is never read.
        let capacity = longest + parameters.maxNewTokens - 1
        let slotBytes = KeyValueCache.slotBytes(model.configuration, capacity: capacity, dtype: model.precision)
        let slots = max(1, min(count - start, slotLimit, cacheBytes / slotBytes))
        var session = GenerationSession(
            model: model,
            parameters: parameters,
            slots: slots,
            capacity: capacity,
            prefillBudget: prefillBudget,
            endsCompletion: endsCompletion
        )
        for index in start..<count {
            session.waiting.append(
                WaitingSequence(
                    index: index,
                    prompt: prompts[index / samplesPerPrompt],
                    stream: RandomStream(seed: seed, index: firstIndex + UInt64(index))
                )
            )
        }
        var completions = [Completion](repeating: Completion(), count: count)
        while !session.isDone {
            for (index, completion) in withoutGradients({ session.advance() }) {
                completions[index] = completion
                try finished(index, completion)
            }
        }
        return completions
    }

    /// - Throws: `ModelError` where the keys and values of a single sequence would not fit into memory.
    private func checkMemory(longestPrompt: Int) throws {
        let tokenBytes = KeyValueCache.slotBytes(model.configuration, capacity: 1, dtype: model.precision)
        let memory = Int(ProcessInfo.processInfo.physicalMemory)
        guard longestPrompt + 1 < memory / tokenBytes - parameters.maxNewTokens else {
            throw ModelError(
                "\(parameters.maxNewTokens) new tokens",
                "keys and values of one sequence need \(tokenBytes) bytes a token, more than this machine's memory; "
                    + "lower --max-new-tokens"
            )
        }
    }
}

private struct WaitingSequence {
    let index: Int
    let prompt: [Int]
    let stream: RandomStream
}

private struct ActiveSequence {
    let index: Int
    let slot: Int
    /// Tokens in the cache.
    var length: Int
    var stream: RandomStream
    var completion = Completion()
}

/// The state of one call to `generate`.
private struct GenerationSession {
    let model: LanguageModel
    let parameters: SamplingParameters
    let prefillBudget: Int
    let cache: KeyValueCache
    let endsCompletion: (([Int]) -> Bool)?
    var waiting: [WaitingSequence] = []
    var nextWaiting = 0
    var active: [ActiveSequence] = []
    var freeSlots: [Int]
    let slotCount: Int

    init(
        model: LanguageModel,
        parameters: SamplingParameters,
        slots: Int,
        capacity: Int,
        prefillBudget: Int,
        endsCompletion: (([Int]) -> Bool)?
    ) {
        self.model = model
        self.endsCompletion = endsCompletion
        self.parameters = parameters
        self.prefillBudget = prefillBudget
        slotCount = slots
        freeSlots = Array((0..<slots).reversed())
        cache = KeyValueCache(
            model.configuration,
            slots: slots,
            capacity: capacity,
            dtype: model.precision,
            device: model.device
        )
    }

    var isDone: Bool { active.isEmpty && nextWaiting == waiting.count }

    /// Reads waiting prompts where enough slots are free, else samples one token for every active sequence.
    mutating func advance() -> [(Int, Completion)] {
        // A few joining at a time keep the batches of both kinds of step large.
        let mayJoin =
            nextWaiting < waiting.count && freeSlots.count >= min(waiting.count - nextWaiting, slotCount / 8 + 1)
        if mayJoin || active.isEmpty { return read() }
        let rows = CacheRows(slots: active.map(\.slot), lengths: active.map(\.length))
        let hidden = model.decoder(
            Tensor(active.map { $0.completion.tokens[$0.completion.tokens.count - 1] }).to(model.device),
            positions: Tensor(active.map(\.length)).to(model.device),
            dtype: model.precision
        ) { [cache, configuration = model.configuration] layer, queries, keys, values in
            let rule = configuration.attentionRule(layer)
            return cache.attend(layer: layer, queries: queries, keys: keys, values: values, rows: rows, rule: rule)
        }
        for index in active.indices { active[index].length += 1 }
        return sample(model.project(hidden), for: Array(active.indices))
    }

    /// Computes prompts, each once however many samples it has, and samples their first tokens.
    private mutating func read() -> [(Int, Completion)] {
        var batch = TokenBatch()
        var copies = CacheCopies()
        var lastPrompt: [Int] = []
        var segmentOfRow: [Int] = []
        var joined: [ActiveSequence] = []
        while nextWaiting < waiting.count, !freeSlots.isEmpty {
            let next = waiting[nextWaiting]
            let isShared = !joined.isEmpty && next.prompt == lastPrompt
            if !isShared, !joined.isEmpty, batch.tokens.count + next.prompt.count > prefillBudget { break }
            if !isShared {
                batch.append(next.prompt)
                lastPrompt = next.prompt
            }
            let slot = freeSlots.removeLast()
            copies.append(batch.segments[batch.segments.count - 1].range, slot: slot)
            segmentOfRow.append(batch.segments.count - 1)
            joined.append(ActiveSequence(index: next.index, slot: slot, length: next.prompt.count, stream: next.stream))
            nextWaiting += 1
        }
        let hidden = model.decoder(
            Tensor(batch.tokens).to(model.device),
            positions: Tensor(batch.positions).to(model.device),
            dtype: model.precision
        ) { [cache, configuration = model.configuration] layer, queries, keys, values in
            cache.fill(layer: layer, keys: keys, values: values, copies)
            return segmentAttention(
                queries: queries,
                keys: keys,
                values: values,
                segments: batch.segments,
                rule: configuration.attentionRule(layer)
            )
        }
        let ends = segmentOfRow.map { batch.segments[$0].range.upperBound - 1 }
        let first = active.count
        active += joined
        return sample(model.project(hidden.rows(ends)), for: Array(first..<active.count))
    }

    /// Appends one token to the given active sequences; those that end leave.
    private mutating func sample(_ logits: Tensor, for rows: [Int]) -> [(Int, Completion)] {
        let uniforms = rows.map { active[$0].stream.next() }
        let mayStop = rows.map { active[$0].completion.tokens.count >= parameters.minNewTokens }
        let choices = parameters.choose(logits, uniforms: uniforms, mayStop: mayStop)
        for (row, choice) in zip(rows, choices) {
            active[row].completion.append(choice)
            active[row].completion.isFinished =
                parameters.stopTokens.contains(choice.token)
                || endsCompletion?(active[row].completion.tokens) == true
        }
        let isOver = { [parameters] (sequence: ActiveSequence) in
            sequence.completion.isFinished || sequence.completion.tokens.count >= parameters.maxNewTokens
        }
        let over = active.filter(isOver)
        active.removeAll(where: isOver)
        freeSlots += over.map(\.slot)
        return over.map { ($0.index, $0.completion) }
    }
}
