import Torch

/// What one sequence asks of a session.
public struct SequenceRequest {
    /// The ids that are continued, at least one.
    public var prompt: [Int]
    /// How tokens are chosen, and when it ends.
    public var parameters: SamplingParameters
    /// The numbers that decide what is sampled.
    public var stream: RandomStream
    /// How many of the likeliest tokens are reported beside each token, by the model's own distribution; nil reports nothing of it.
    public var alternatives: Int?
    /// Whether the prompt's own tokens are reported too.
    public var scoresPrompt = false
    /// Ends the completion where it answers true for the tokens so far; for stops that are texts and not tokens.
    ///
    /// It may be called in LibTorch's inference mode: tensors that it makes are not for training.
    public var endsCompletion: (([Int]) -> Bool)?

    /// A request for one continuation.
    public init(
        prompt: [Int],
        parameters: SamplingParameters,
        stream: RandomStream,
        alternatives: Int? = nil,
        scoresPrompt: Bool = false,
        endsCompletion: (([Int]) -> Bool)? = nil
    ) {
        self.prompt = prompt
        self.parameters = parameters
        self.stream = stream
        self.alternatives = alternatives
        self.scoresPrompt = scoresPrompt
        self.endsCompletion = endsCompletion
    }
}

/// What happened to one sequence in one step of a session.
public struct SequenceStep {
    /// The number that the sequence got when it joined.
    public let id: Int
    /// The token that was chosen; nil where the prompt alone was asked about.
    public let choice: TokenChoice?
    /// What the model says of that token, where the request asks for it.
    public let likelihood: TokenLikelihood?
    /// What the model says of the prompt's tokens but the first, with the first step of a request that asks for it.
    public let promptLikelihoods: [TokenLikelihood]?
    /// Everything that was sampled, where the sequence is over and has left.
    public let completion: Completion?
}

/// Sequences that are sampled together: they join at any time, each by rules of its own, and leave when they are over.
///
/// Prompts are read as one ragged batch, equal ones that follow each other once, into the slots of a cache that is made at the start; who
/// finds no slot waits in the order of joining. What a sequence samples depends on its request and, on the CPU, on nothing
/// beside it; on a device products of other row counts round differently.
public struct GenerationSession {
    /// The most sequences at once.
    public let slotCount: Int
    /// The most tokens of one sequence, the last sampled one not counted, as it is never read.
    public let capacity: Int

    let model: LanguageModel
    private let cache: KeyValueCache
    private let steps: DecodingSteps
    /// The most tokens of prompts that are read in one step, where that is more than one prompt.
    private let prefillBudget = 8192
    /// Those that have no slot yet are the ones from `nextWaiting`.
    private var waiting: [WaitingSequence] = []
    private var nextWaiting = 0
    var active: [ActiveSequence] = []
    var freeSlots: [Int]
    private var joinedCount = 0

    private struct WaitingSequence {
        let id: Int
        let request: SequenceRequest
    }

    struct ActiveSequence {
        let id: Int
        let slot: Int
        let request: SequenceRequest
        /// How its tokens are chosen, and a number that those who choose alike share.
        let rule: SamplingParameters
        let ruleNumber: Int
        /// Tokens in the cache.
        var length: Int
        var stream: RandomStream
        var completion = Completion()

        var isOver: Bool {
            completion.isFinished || completion.tokens.count >= request.parameters.maxNewTokens
        }
    }

    /// A session of a model as it is now, whose cache takes ``slotBytes(_:capacity:)`` bytes a slot; on a device there is one slot
    /// more where there are several.
    public init(_ model: LanguageModel, slots: Int, capacity: Int) {
        self.model = model
        self.capacity = capacity
        slotCount = slots
        freeSlots = Array((0..<slots).reversed())
        cache = KeyValueCache(
            model.configuration,
            slots: slots,
            capacity: capacity,
            dtype: model.precision,
            device: model.device
        )
        steps = DecodingSteps(model, cache)
    }

    /// Bytes of keys and values of one sequence of so many tokens.
    public static func slotBytes(_ model: LanguageModel, capacity: Int) -> Int {
        KeyValueCache.slotBytes(model.configuration, capacity: capacity, dtype: model.precision)
    }

    /// Whether nobody is sampled and nobody waits.
    public var isIdle: Bool { active.isEmpty && nextWaiting == waiting.count }
    /// How many sequences are sampled or wait.
    public var count: Int { active.count + waiting.count - nextWaiting }

    /// Adds a sequence and returns its number; the first one of a session is 0.
    @discardableResult
    public mutating func join(_ request: SequenceRequest) -> Int {
        precondition(!request.prompt.isEmpty, "a prompt holds at least one token")
        precondition(
            request.prompt.count + max(1, request.parameters.maxNewTokens) - 1 <= capacity,
            "a sequence does not fit into a slot"
        )
        if nextWaiting == waiting.count || nextWaiting > 1024 + waiting.count / 2 {
            waiting.removeFirst(nextWaiting)
            nextWaiting = 0
        }
        waiting.append(WaitingSequence(id: joinedCount, request: request))
        joinedCount += 1
        return joinedCount - 1
    }

    /// Takes a sequence out whose rest nobody wants; one that has left already is ignored.
    public mutating func leave(_ id: Int) {
        if let place = active.firstIndex(where: { $0.id == id }) {
            freeSlots.append(active.remove(at: place).slot)
        } else if let place = waiting[nextWaiting...].firstIndex(where: { $0.id == id }) {
            waiting.remove(at: place)
        }
    }

    /// Reads waiting prompts where enough slots are free, else samples one token for every active sequence.
    public mutating func advance() -> [SequenceStep] {
        if isIdle { return [] }
        // A few joining at a time keep the batches of both kinds of step large.
        let waitingCount = waiting.count - nextWaiting
        let mayJoin = waitingCount > 0 && freeSlots.count >= min(waitingCount, slotCount / 8 + 1)
        func step() -> [SequenceStep] { mayJoin || active.isEmpty ? read() : sampleNext() }
        // A step on the CPU is many small operators; on a device they are recorded.
        return model.device == .cpu ? inInferenceMode(step) : withoutGradients(step)
    }

    private mutating func sampleNext() -> [SequenceStep] {
        let logits = steps.logits(
            tokens: active.map { $0.completion.tokens[$0.completion.tokens.count - 1] },
            slots: active.map(\.slot),
            lengths: active.map(\.length)
        )
        for index in active.indices { active[index].length += 1 }
        return sample(logits, for: Array(active.indices), promptLikelihoods: [:])
    }

    /// Computes prompts, each once however many samples it has, and samples their first tokens.
    private mutating func read() -> [SequenceStep] {
        var batch = TokenBatch()
        var copies = CacheCopies()
        var lastPrompt: [Int] = []
        var segmentOfRow: [Int] = []
        var joined: [ActiveSequence] = []
        while nextWaiting < waiting.count, !freeSlots.isEmpty {
            let next = waiting[nextWaiting]
            let prompt = next.request.prompt
            let isShared = !joined.isEmpty && prompt == lastPrompt
            if !isShared, !joined.isEmpty, batch.tokens.count + prompt.count > prefillBudget { break }
            if !isShared {
                batch.append(prompt)
                lastPrompt = prompt
            }
            let slot = freeSlots.removeLast()
            copies.append(batch.segments[batch.segments.count - 1].range, slot: slot)
            segmentOfRow.append(batch.segments.count - 1)
            joined.append(activated(next, slot: slot, beside: joined))
            nextWaiting += 1
        }
        let ends = segmentOfRow.map { batch.segments[$0].range.upperBound - 1 }
        let scoresPrompts = joined.contains { $0.request.scoresPrompt }
        let hidden = model.decoder(
            Tensor(batch.tokens).to(model.device),
            positions: Tensor(batch.positions).to(model.device),
            rows: scoresPrompts ? nil : ends,
            dtype: model.precision
        ) { [cache, attention = SegmentAttention(batch.segments), configuration = model.configuration] in
            cache.fill(layer: $0, keys: $2, values: $3, copies)
            return attention(queries: $1, keys: $2, values: $3, rule: configuration.attentionRule($0))
        }
        let first = active.count
        active += joined
        let scored = promptLikelihoods(hidden, batch, segmentOfRow, joined)
        let last = scoresPrompts ? hidden.rows(ends) : hidden
        return sample(model.project(last), for: Array(first..<active.count), promptLikelihoods: scored)
    }

    private func activated(
        _ sequence: WaitingSequence,
        slot: Int,
        beside others: [ActiveSequence]
    ) -> ActiveSequence {
        let rule = sequence.request.parameters.choiceRule
        // Who chooses alike has the same number, so that a step need not compare rules.
        let equal = active.first { $0.rule == rule } ?? others.first { $0.rule == rule }
        return ActiveSequence(
            id: sequence.id,
            slot: slot,
            request: sequence.request,
            rule: equal?.rule ?? rule,
            ruleNumber: equal?.ruleNumber ?? sequence.id,
            length: sequence.request.prompt.count,
            stream: sequence.request.stream
        )
    }
}
