import Configuration
import Datasets
import Foundation
import Models
import Objectives
import Safetensors
import Torch

/// Responses of a policy to prompts, as they were sampled or recorded: ids and lengths, no pad token.
struct Rollout {
    /// One response.
    struct Sequence {
        var prompt: [Int]
        var response: [Int]
        /// Whether an end-of-sequence token ended it; otherwise the length limit did.
        var isFinished: Bool
        /// log π of each sampled token by the sampler, empty where it was recorded elsewhere.
        var samplerLogProbabilities: [Float] = []
        /// Entropies of the distributions of the sampled tokens, empty where it was recorded elsewhere.
        var samplerEntropies: [Float] = []
        /// log π of the end of sequence in the place of the last token, not a number where the sampler did not say it.
        var endLogProbability = Float.nan
    }

    var sequences: [Sequence]

    /// The responses that are scored and trained on: those cut by the length limit as the setting says.
    func rows(_ truncation: Truncation, endOfSequence: Int?) -> [ResponseBatch.Row] {
        sequences.map { sequence in
            guard truncation == .forceEndOfSequence, let endOfSequence else {
                return ResponseBatch.Row(prompt: sequence.prompt, response: sequence.response)
            }
            let response = forcingEndOfSequence(
                sequence.response,
                isFinished: sequence.isFinished,
                endOfSequence: endOfSequence
            )
            return ResponseBatch.Row(prompt: sequence.prompt, response: response)
        }
    }

    /// What the sampler said of the rows' tokens, a forced end of sequence included; nil unless it said it of all.
    func samplerStatistics(_ rows: [ResponseBatch.Row]) -> PolicyStatistics? {
        var statistics = PolicyStatistics()
        for (sequence, row) in zip(sequences, rows) {
            guard sequence.samplerLogProbabilities.count == row.response.count,
                sequence.samplerEntropies.count == row.response.count
            else { return nil }
            var logProbabilities = sequence.samplerLogProbabilities
            if row.response.last != sequence.response.last {
                guard !sequence.endLogProbability.isNaN else { return nil }
                logProbabilities[logProbabilities.count - 1] = sequence.endLogProbability
            }
            statistics.logProbabilities += logProbabilities
            statistics.entropies += sequence.samplerEntropies
        }
        return statistics
    }

    /// Mean magnitude of the sampler's log-probabilities minus the scorer's, over tokens that were not edited.
    func samplerDifference(_ rows: [ResponseBatch.Row], scored: [Float]) -> Double? {
        var sum = 0.0
        var count = 0
        var offset = 0
        for (sequence, row) in zip(sequences, rows) {
            for (index, sampled) in sequence.samplerLogProbabilities.enumerated()
            where sequence.response[index] == row.response[index] {
                sum += Double(abs(sampled - scored[offset + index]))
                count += 1
            }
            offset += row.response.count
        }
        return count == 0 ? nil : sum / Double(count)
    }
}

/// Rollouts in a safetensors file: flat `tokens`, `sequence_offsets`, `prompt_lengths`, `finished`.
enum RecordedRollouts {
    /// Reads the four columns that training needs.
    ///
    /// - Throws: `TrainingError` naming the column that is missing or inconsistent.
    static func read(_ path: String, vocabularySize: Int) throws -> [Rollout.Sequence] {
        let file = try SafetensorsFile(url: URL(filePath: path))
        func column(_ name: String) throws -> [Int] {
            guard let tensor = file.tensor(name), tensor.rank == 1,
                tensor.dtype == .bool || !tensor.dtype.isFloatingPoint
            else { throw TrainingError("\(path): recorded rollouts need a column of whole numbers \"\(name)\"") }
            return tensor.integers
        }
        let tokens = try column("tokens")
        let offsets = try column("sequence_offsets")
        let promptLengths = try column("prompt_lengths")
        let finished = try column("finished")
        guard offsets.first == 0, offsets.last == tokens.count, offsets.count == promptLengths.count + 1,
            finished.count == promptLengths.count, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw TrainingError(
                "\(path): sequence_offsets must rise from 0 to the number of tokens, one more than prompt_lengths and finished"
            )
        }
        if let wrong = tokens.first(where: { $0 < 0 || $0 >= vocabularySize }) {
            throw TrainingError("\(path): token id \(wrong) is outside the model's vocabulary of \(vocabularySize)")
        }
        return try promptLengths.indices.map { index in
            let ids = tokens[offsets[index]..<offsets[index + 1]]
            guard promptLengths[index] > 0, promptLengths[index] < ids.count else {
                throw TrainingError(
                    "\(path): sequence \(index) has \(ids.count) tokens and a prompt of \(promptLengths[index]); "
                        + "prompt and response need at least one token each"
                )
            }
            return Rollout.Sequence(
                prompt: Array(ids.prefix(promptLengths[index])),
                response: Array(ids.dropFirst(promptLengths[index])),
                isFinished: finished[index] != 0
            )
        }
    }

    /// Writes rows with everything that was computed of them.
    static func write(_ rollout: Rollout, _ rows: [ResponseBatch.Row], _ scored: ScoredRollout, to url: URL) throws {
        let offsets = rows.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.prompt.count + $1.response.count) }
        var columns: [(name: String, tensor: Tensor)] = [
            ("tokens", Tensor(rows.flatMap { $0.prompt + $0.response })), ("sequence_offsets", Tensor(offsets)),
            ("prompt_lengths", Tensor(rows.map(\.prompt.count))),
            ("finished", Tensor(rollout.sequences.map(\.isFinished))),
            ("log_probabilities", scored.logProbabilities), ("reference_log_probabilities", scored.reference),
        ]
        if let dpo = scored.dpo { columns.append(("dpo_log_probabilities", dpo)) }
        columns += [
            ("token_rewards", scored.tokenRewards ?? scored.kl.zerosLike()), ("kl", scored.kl),
            ("rewards", scored.rewards), ("advantages", scored.advantages),
            ("whitened_advantages", scored.whitenedAdvantages), ("returns", scored.returns), ("scores", scored.scores),
        ]
        if let values = scored.values { columns.append(("values", values)) }
        try writeTensors(columns, to: url)
    }
}

/// Where rollouts come from: sampled for prompts, or recorded.
enum RolloutSource {
    /// Prompts to sample responses for.
    case prompts(StageRows<[Int]>, SamplingParameters)
    /// Responses sampled elsewhere.
    case recorded([Rollout.Sequence])

    /// Prompts or recorded responses.
    var count: Int {
        switch self {
        case .prompts(let prompts, _): prompts.count
        case .recorded(let sequences): sequences.count
        }
    }
}
