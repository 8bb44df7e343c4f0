import Configuration
import Datasets
import Foundation
import Models
import Objectives
import Tokenizers
import Torch
import Training

/// What the models of a chain say about one response.
struct ScoredResponse {
    let sample: SampledRow
    /// The text of each token; the end mark is shown as `<end>`.
    let pieces: [String]
    /// The reward model's score, normalised as in training.
    let score: Double
    /// Σ (log π − log π_ref) over the tokens: one sample of the KL divergence.
    let logRatio: Double
    /// RTO's reward of each token, scaled and clipped as in training; none where the DPO policy is missing.
    let tokenRewards: [Double]
}

/// The models that judge responses to one file of prompts.
struct ResponseScorer {
    /// The text of each token by its id.
    private let pieces: [String]
    private let promptTokens: [[Int]]
    private let reference: LanguageModel
    private let dpo: LanguageModel?
    private let reward: ScoreModel
    private let statistics: (mean: Double, deviation: Double)
    private let settings: TokenRewardSettings
    private let tokenBudget: Int

    /// Loads the models that a run of RTO works with.
    init(_ rto: TrainConfiguration, prompts: String) throws {
        let tokenizer = try modelTokenizer(rto.model.model)
        pieces = Self.pieces(tokenizer)
        promptTokens = try Self.promptTokens(prompts, tokenizer)
        reference = try Self.language(rto.model.model)
        dpo = try rto.tokenReward.dpoModel.flatMap {
            FileManager.default.fileExists(atPath: $0 + "/config.json") ? try Self.language($0) : nil
        }
        let rewardModel = rto.reinforcement.rewardModel ?? ""
        reward = try ScoreModel.load(URL(filePath: rewardModel), .frozen())
        guard let statistics = reward.configuration.rewardStatistics else {
            throw PipelineError("\(rewardModel): the reward model carries no mean and std")
        }
        self.statistics = statistics
        settings = rto.tokenReward
        tokenBudget = rto.loop.microBatchTokens
    }

    static func language(_ path: String) throws -> LanguageModel {
        try LanguageModel.load(URL(filePath: path), .frozen())
    }

    /// The tokens of every prompt of a file.
    static func promptTokens(_ path: String, _ tokenizer: Tokenizer) throws -> [[Int]] {
        var options = DatasetOptions()
        options.chatTemplate = tokenizer.chatTemplate
        return try DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer, options: options).prompts()
            .rows.map(\.ids)
    }

    private static func pieces(_ tokenizer: Tokenizer) -> [String] {
        (0..<tokenizer.vocabularySize).map { id in
            if id == tokenizer.endOfSequence { return "<end>" }
            let text = tokenizer.decode([id])
            return text.hasPrefix(" ") ? String(text.dropFirst()) : text
        }
    }

    /// Measures a policy's responses, one to each prompt.
    func measure(_ samples: [SampledRow], of policy: String) throws -> [ScoredResponse] {
        guard samples.count == promptTokens.count, samples.allSatisfy({ isScorable($0.tokens) }) else {
            throw PipelineError("the samples do not belong to the prompts; delete the directory and start again")
        }
        let model = try Self.language(policy)
        let rows = zip(promptTokens, samples).map { ResponseBatch.Row(prompt: $0, response: $1.tokens) }
        return ResponseBatch.microBatches(rows, tokenBudget: tokenBudget).flatMap { range in
            measure(Array(samples[range]), ResponseBatch(Array(rows[range])), of: model)
        }
    }

    private func isScorable(_ tokens: [Int]) -> Bool { !tokens.isEmpty && tokens.allSatisfy(pieces.indices.contains) }

    private func measure(_ samples: [SampledRow], _ batch: ResponseBatch, of policy: LanguageModel) -> [ScoredResponse]
    {
        let (ratios, rewards, scores) = withoutGradients {
            let reference = reference.logProbabilities(batch)
            let ratios = policy.logProbabilities(batch).to(.float64) - reference.to(.float64)
            let rewards = dpo.map {
                tokenRewards(
                    dpo: $0.logProbabilities(batch),
                    reference: reference,
                    scale: settings.scale,
                    clip: settings.clip
                ).rewards.doubles
            }
            return (ratios.doubles, rewards, reward.rewards(batch).doubles)
        }
        let ragged = RaggedRows(lengths: batch.lengths)
        return samples.enumerated().map { index, sample in
            ScoredResponse(
                sample: sample,
                pieces: sample.tokens.map { pieces[$0] },
                score: (scores[index] - statistics.mean) / statistics.deviation,
                logRatio: ratios[ragged.range(index)].reduce(0, +),
                tokenRewards: rewards.map { Array($0[ragged.range(index)]) } ?? []
            )
        }
    }
}
