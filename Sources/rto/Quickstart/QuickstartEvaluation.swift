import Configuration
import Datasets
import Foundation
import Models
import Objectives
import PocketWorld
import Tokenizers
import Torch

/// The responses of every policy to the held-out prompts, measured by the models of the quickstart.
struct QuickstartEvaluation {
    /// Each policy's responses, in the order of the prompts.
    let responses: [QuickstartPolicy: [EvaluatedResponse]]

    /// Scores the sampled completions of all policies.
    init(_ plan: QuickstartPlan) throws {
        let scorer = try ResponseScorer(plan)
        var responses: [QuickstartPolicy: [EvaluatedResponse]] = [:]
        for policy in QuickstartPolicy.allCases {
            let path = plan.evaluationSamples(of: policy.rawValue).output ?? ""
            let model = try ResponseScorer.language(plan.directory.run(policy.rawValue))
            responses[policy] = try scorer.measure(SampledRow.read(path), of: model)
        }
        self.responses = responses
    }

    init(responses: [QuickstartPolicy: [EvaluatedResponse]]) { self.responses = responses }
}

/// The models that judge responses.
private struct ResponseScorer {
    /// The text of each token by its id.
    let pieces: [String]
    let promptTokens: [[Int]]
    let reference: LanguageModel
    let dpo: LanguageModel
    let reward: ScoreModel
    let statistics: (mean: Double, deviation: Double)
    let settings: TokenRewardSettings
    let tokenBudget: Int

    init(_ plan: QuickstartPlan) throws {
        let directory = plan.directory
        let tokenizer = try Tokenizer(directory: URL(filePath: directory.model))
        pieces = Self.pieces(tokenizer)
        var options = DatasetOptions()
        options.chatTemplate = tokenizer.chatTemplate
        let source = DatasetSource(path: directory.world(.evaluationPrompts))
        promptTokens = try DatasetReader(sources: [source], tokenizer: tokenizer, options: options).prompts().rows.map(
            \.ids
        )
        reference = try Self.language(directory.run("sft"))
        dpo = try Self.language(directory.run("dpo"))
        reward = try ScoreModel.load(URL(filePath: directory.run("reward")), .frozen())
        guard let statistics = reward.configuration.rewardStatistics else {
            throw QuickstartError("\(directory.run("reward")): the reward model carries no mean and std")
        }
        self.statistics = statistics
        settings = plan.rto.tokenReward
        tokenBudget = plan.rto.loop.microBatchTokens
    }

    static func language(_ path: String) throws -> LanguageModel {
        try LanguageModel.load(URL(filePath: path), .frozen())
    }

    private static func pieces(_ tokenizer: Tokenizer) -> [String] {
        (0..<tokenizer.vocabularySize).map { id in
            if id == tokenizer.endOfSequence { return "<end>" }
            let text = tokenizer.decode([id])
            return text.hasPrefix(" ") ? String(text.dropFirst()) : text
        }
    }

    /// Measures a policy's responses, one to each prompt.
    func measure(_ samples: [SampledRow], of policy: LanguageModel) throws -> [EvaluatedResponse] {
        guard samples.count == promptTokens.count, samples.allSatisfy({ isScorable($0.tokens) }) else {
            throw QuickstartError("the samples do not belong to the prompts; delete the directory and start again")
        }
        let rows = zip(promptTokens, samples).map { ResponseBatch.Row(prompt: $0, response: $1.tokens) }
        return try ResponseBatch.microBatches(rows, tokenBudget: tokenBudget).flatMap { range in
            try measure(Array(samples[range]), ResponseBatch(Array(rows[range])), of: policy)
        }
    }

    private func isScorable(_ tokens: [Int]) -> Bool { !tokens.isEmpty && tokens.allSatisfy(pieces.indices.contains) }

    private func measure(
        _ samples: [SampledRow],
        _ batch: ResponseBatch,
        of policy: LanguageModel
    ) throws -> [EvaluatedResponse] {
        let (ratios, rewards, scores) = withoutGradients {
            let reference = reference.logProbabilities(batch)
            let ratios = policy.logProbabilities(batch).to(.float64) - reference.to(.float64)
            let rewards = tokenRewards(
                dpo: dpo.logProbabilities(batch),
                reference: reference,
                scale: settings.scale,
                clip: settings.clip
            )
            return (ratios.doubles, rewards.rewards.doubles, reward.rewards(batch).doubles)
        }
        let ragged = RaggedRows(lengths: batch.lengths)
        return try samples.enumerated().map { index, sample in
            EvaluatedResponse(
                prompt: sample.prompt,
                pieces: sample.tokens.map { pieces[$0] },
                gold: try GoldReward().score(
                    prompt: sample.prompt,
                    response: sample.completion,
                    isFinished: sample.isFinished
                ),
                score: (scores[index] - statistics.mean) / statistics.deviation,
                logRatio: ratios[ragged.range(index)].reduce(0, +),
                tokenRewards: Array(rewards[ragged.range(index)])
            )
        }
    }
}
