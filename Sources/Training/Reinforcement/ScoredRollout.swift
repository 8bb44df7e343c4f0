import Configuration
import Models
import Objectives
import Torch

/// Everything computed of a rollout before the first update; flat `[response tokens]` unless said otherwise, float32.
struct ScoredRollout {
    /// log π of the policy that sampled, at the sampling temperature.
    let logProbabilities: Tensor
    /// Entropy of the policy's distributions, in nats.
    let entropies: Tensor
    /// log π_ref.
    let reference: Tensor
    /// log π_dpo, where there is a DPO model.
    let dpo: Tensor?
    /// β₁·log(π_dpo/π_ref), clipped, where it is paid.
    let tokenRewards: Tensor?
    /// Share of the token rewards that the clip changed.
    let clipFraction: Double
    /// log π − log π_ref.
    let kl: Tensor
    /// The reward model's score of each sequence, normalised if asked, before the clip: `[rows]`.
    let scores: Tensor
    /// What is paid at each token.
    let rewards: Tensor
    /// The critic's values before each token.
    let values: Tensor
    /// Generalised advantages.
    let advantages: Tensor
    /// The same, whitened over all tokens of the rollout.
    let whitenedAdvantages: Tensor
    /// What the critic learns.
    let returns: Tensor
}

/// The models that judge a rollout, and how their judgements become rewards: the middle of the RTO step.
struct RolloutScorer {
    let policy: LanguageModel
    let reference: LanguageModel
    let critic: CriticModel
    let reward: RewardJudge?
    let dpo: LanguageModel?
    let settings: ReinforcementSettings
    let tokenReward: TokenRewardSettings
    /// Which tokens end a sentence, where token rewards are paid there.
    let sentenceEnds: SentenceEnds?
    let microBatchTokens: Int

    /// Scores rows of a rollout with the KL coefficient β₂ of the moment.
    ///
    /// - Parameter sampled: what the policy said of the rows when it sampled them, which spares its forward pass
    func score(
        _ rows: [ResponseBatch.Row],
        isFinished: [Bool],
        klCoefficient: Double,
        sampled: PolicyStatistics? = nil
    ) -> ScoredRollout {
        withoutGradients {
            let ragged = RaggedRows(lengths: rows.map(\.response.count))
            let temperature = settings.sampling.temperature
            let batches = ResponseBatch.microBatches(rows, tokenBudget: microBatchTokens)
                .map { ResponseBatch(Array(rows[$0])) }
            func all(_ body: (ResponseBatch) -> Tensor) -> Tensor { Tensor.concatenated(batches.map(body)).to(.cpu) }

            let (logProbabilities, entropies) = policyTensors(sampled, batches)
            let reference = all { self.reference.logProbabilities($0, temperature: temperature) }
            let dpo = self.dpo.map { model in all { model.logProbabilities($0, temperature: temperature) } }
            let dense = dpo.map {
                Objectives.tokenRewards(dpo: $0, reference: reference, scale: tokenReward.scale, clip: tokenReward.clip)
            }
            let paid = dense.map { place($0.rewards, batches, ragged) }
            let values = all { critic.values($0) }
            let scores = reward.map { judge in all { judge.scores($0) } } ?? Tensor.zeros([rows.count])
            let kl = KLEstimator.k1.estimate(policy: logProbabilities, reference: reference)
            let rewards = shapedRewards(
                kl: kl,
                klCoefficient: klCoefficient,
                tokenRewards: paid,
                scores: penalized(scores, isFinished),
                rewardCoefficient: settings.rewardCoefficient,
                rewardClip: settings.rewardClip,
                rows: ragged
            )
            let (advantages, returns) = generalizedAdvantages(
                rewards: rewards,
                values: values,
                rows: ragged,
                gamma: settings.gamma,
                lambda: settings.lambda
            )
            return ScoredRollout(
                logProbabilities: logProbabilities,
                entropies: entropies,
                reference: reference,
                dpo: dpo,
                tokenRewards: paid,
                clipFraction: dense?.clipFraction ?? 0,
                kl: kl,
                scores: scores,
                rewards: rewards,
                values: values,
                advantages: advantages,
                whitenedAdvantages: whitened(advantages),
                returns: returns
            )
        }
    }

    /// Token rewards where the setting pays them.
    private func place(_ rewards: Tensor, _ batches: [ResponseBatch], _ rows: RaggedRows) -> Tensor {
        let ids = batches.flatMap(\.targets)
        return tokenReward.placement.objective(rewards, rows: rows) { sentenceEnds?.contains(ids[$0]) == true }
    }

    /// log π and entropies of the policy, those of the sampler where it has said them.
    private func policyTensors(_ sampled: PolicyStatistics?, _ batches: [ResponseBatch]) -> (Tensor, Tensor) {
        if let sampled { return (Tensor(sampled.logProbabilities), Tensor(sampled.entropies)) }
        let own = batches.map {
            policy.logProbabilitiesAndEntropies($0, temperature: settings.sampling.temperature)
        }
        return (Tensor.concatenated(own.map(\.0)).to(.cpu), Tensor.concatenated(own.map(\.1)).to(.cpu))
    }

    /// With `--truncation penalize`, a response cut by the length limit scores the worst that the clip allows.
    private func penalized(_ scores: Tensor, _ isFinished: [Bool]) -> Tensor {
        guard settings.truncation == .penalize else { return scores }
        return Tensor(isFinished).select(scores, Tensor.full(scores.shape, -settings.rewardClip))
    }
}

/// A reward model with the normalisation of its scores.
struct RewardJudge {
    let model: ScoreModel
    /// What scores are normalised by, nil for raw scores.
    let statistics: RewardStatistics?

    /// One score a row, `[rows]`.
    func scores(_ batch: ResponseBatch) -> Tensor {
        let raw = model.rewards(batch)
        return statistics?.normalized(raw) ?? raw
    }
}

/// The critic: a score model whose output, like the reference code's, is normalised as its reward model's is.
struct CriticModel {
    let model: ScoreModel
    let statistics: RewardStatistics?

    /// The value before each response token.
    func values(_ batch: ResponseBatch) -> Tensor {
        let raw = model.values(batch)
        return statistics?.normalized(raw) ?? raw
    }
}

extension Configuration.TokenRewardPlacement {
    /// The placement's equation.
    var objective: Objectives.TokenRewardPlacement {
        switch self {
        case .token: .token
        case .sentence: .sentence
        case .end: .end
        case .shaping: .shaping
        }
    }
}
