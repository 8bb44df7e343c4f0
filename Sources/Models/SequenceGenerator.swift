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

/// Samples continuations of a list of prompts, in one session to which all of them come at once.
public struct SequenceGenerator {
    /// How many sequences are sampled at once unless another number is given.
    public static let defaultConcurrency = 256
    /// How many bytes their cache may take unless another number is given.
    public static let defaultCacheBytes = 2 << 30

    private let model: LanguageModel
    private let parameters: SamplingParameters
    private let slotLimit: Int
    private let cacheBytes: Int

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
        var session = GenerationSession(model, slots: slots, capacity: capacity)
        for index in start..<count {
            session.join(
                SequenceRequest(
                    prompt: prompts[index / samplesPerPrompt],
                    parameters: parameters,
                    stream: RandomStream(seed: seed, index: firstIndex + UInt64(index)),
                    endsCompletion: endsCompletion
                )
            )
        }
        var completions = [Completion](repeating: Completion(), count: count)
        while !session.isIdle {
            for step in session.advance() {
                guard let completion = step.completion else { continue }
                // Sequences are numbered in the order in which they joined.
                completions[start + step.id] = completion
                try finished(start + step.id, completion)
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
