import Configuration
import Datasets
import Models
import Torch

/// Takes prompts in their order and samples responses, or takes recorded ones: where a rollout comes from.
struct RolloutCollector {
    private let policy: LanguageModel
    private let source: RolloutSource
    private let endOfSequence: Int?
    private let seed: UInt64
    private let rolloutSize: Int
    /// Which prompts, or groups of recorded responses, each rollout takes.
    let schedule: DataSchedule
    /// Responses that follow each other and answer one prompt.
    private let groupSize: Int

    init(
        _ configuration: TrainConfiguration,
        policy: LanguageModel,
        source: RolloutSource,
        endOfSequence: Int?,
        updatesPerRollout: Int
    ) throws {
        let settings = configuration.reinforcement
        self.policy = policy
        self.source = source
        self.endOfSequence = endOfSequence
        seed = UInt64(bitPattern: Int64(configuration.loop.seed))
        rolloutSize = settings.rolloutBatchSize
        let rowCount: Int
        let noun: String
        switch source {
        case .prompts(let prompts, _):
            groupSize = settings.sampling.samplesPerPrompt
            (rowCount, noun) = (prompts.count, "prompts")
        case .recorded(let sequences):
            groupSize = settings.advantage.comparesSamples ? settings.sampling.samplesPerPrompt : 1
            try sequences.checkGroups(of: groupSize)
            (rowCount, noun) = (sequences.count / groupSize, groupSize == 1 ? "recorded rollouts" : "recorded groups")
        }
        schedule = try DataSchedule(
            rowCount: rowCount,
            batchSize: settings.rolloutBatchSize / groupSize,
            epochs: configuration.loop.epochs,
            maxSteps: configuration.loop.maxSteps.map { ($0 - 1) / updatesPerRollout + 1 },
            seed: configuration.loop.seed,
            isShuffled: !configuration.data.keepsOrder,
            noun: noun
        )
    }

    /// The rollout of a number, counted from 0.
    func rollout(_ number: Int) throws -> Rollout {
        let chosen = schedule.rows(step: number)
        switch source {
        case .recorded(let sequences):
            return Rollout(
                sequences: chosen.flatMap { sequences[$0 * groupSize..<($0 + 1) * groupSize] }
            )
        case .prompts(let prompts, let parameters):
            return try sample(try prompts.rows(chosen), parameters, firstIndex: number * rolloutSize)
        }
    }

    private func sample(_ prompts: [[Int]], _ parameters: SamplingParameters, firstIndex: Int) throws -> Rollout {
        var parameters = parameters
        parameters.reportedToken = endOfSequence
        let completions = try SequenceGenerator(policy, parameters).generate(
            prompts,
            samplesPerPrompt: groupSize,
            seed: seed,
            firstIndex: UInt64(firstIndex)
        )
        return Rollout(
            sequences: completions.enumerated().map { index, completion in
                Rollout.Sequence(
                    prompt: prompts[index / groupSize],
                    response: completion.tokens,
                    isFinished: completion.isFinished,
                    samplerLogProbabilities: completion.logProbabilities,
                    samplerEntropies: completion.entropies,
                    endLogProbability: completion.reportedLogProbability
                )
            }
        )
    }
}

extension [Rollout.Sequence] {
    /// Throws unless the recorded responses are groups of samples of one prompt each.
    fileprivate func checkGroups(of size: Int) throws {
        let found = "--advantage compares groups of \(size) recorded responses to one prompt (--samples-per-prompt)"
        guard count % size == 0 else { throw TrainingError("\(found), and \(count) responses are no whole groups") }
        if let stray = indices.first(where: { self[$0].prompt != self[$0 / size * size].prompt }) {
            let first = stray / size * size
            throw TrainingError("\(found), and response \(stray) has another prompt than response \(first)")
        }
    }
}
