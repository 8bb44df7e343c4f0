import Configuration
import Models
import Objectives
import Torch

/// The models that judge a rollout, and how their judgements become rewards and advantages: the middle of the RTO step.
struct RolloutScorer {
    let policy: LanguageModel
    let reference: LanguageModel
    /// Predicts returns; nil where the estimator of advantages does without.
    let critic: CriticModel?
    let sources: [any RewardSource]
    /// Rewards tokens: what makes PPO to RTO.
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
    ) throws -> ScoredRollout {
        try withoutGradients {
            let ragged = RaggedRows(lengths: rows.map(\.response.count))
            let batches = ResponseBatch.microBatches(rows, tokenBudget: microBatchTokens)
                .map { ResponseBatch(Array(rows[$0])) }
            let (logProbabilities, entropies) = policyTensors(sampled, batches)
            let reference = evaluate(self.reference, batches)
            let dpo = self.dpo.map { evaluate($0, batches) }
            let credit = dpo.map { dense($0, reference, batches, ragged) }
            let (judgement, parts) = try sources.judge(rows, batches)
            let rewards = shapedRewards(
                kl: penalty(logProbabilities, reference),
                klCoefficient: settings.klInLoss ? 0 : klCoefficient,
                tokenRewards: sum(credit?.rewards, judgement.tokenScores.map { $0 * settings.rewardCoefficient }),
                scores: relative(penalized(judgement.scores, isFinished)),
                rewardCoefficient: settings.rewardCoefficient,
                rewardClip: settings.rewardClip,
                rows: ragged
            )
            let values = critic.map { critic in flat(batches) { critic.values($0) } }
            let (advantages, returns) = estimate(rewards, values, ragged)
            return ScoredRollout(
                logProbabilities: logProbabilities,
                entropies: entropies,
                reference: reference,
                dpo: dpo,
                tokenRewards: credit?.rewards,
                clipFraction: credit?.clipFraction ?? 0,
                scores: judgement.totals(ragged),
                parts: parts,
                rewards: rewards,
                values: values,
                advantages: advantages,
                whitenedAdvantages: white(advantages),
                returns: returns
            )
        }
    }

    /// log π of the policy and entropies, those of the sampler where it has said them.
    private func policyTensors(_ sampled: PolicyStatistics?, _ batches: [ResponseBatch]) -> (Tensor, Tensor) {
        if let sampled { return (Tensor(sampled.logProbabilities), Tensor(sampled.entropies)) }
        let own = batches.map {
            policy.logProbabilitiesAndEntropies($0, temperature: settings.sampling.temperature)
        }
        return (Tensor.concatenated(own.map(\.0)).to(.cpu), Tensor.concatenated(own.map(\.1)).to(.cpu))
    }

    /// log π of a model at each response token.
    private func evaluate(_ model: LanguageModel, _ batches: [ResponseBatch]) -> Tensor {
        flat(batches) { model.logProbabilities($0, temperature: settings.sampling.temperature) }
    }

    /// RTO's token rewards where the setting pays them, and the share that the clip changed.
    private func dense(
        _ dpo: Tensor,
        _ reference: Tensor,
        _ batches: [ResponseBatch],
        _ rows: RaggedRows
    ) -> (rewards: Tensor, clipFraction: Double) {
        let dense = tokenRewards(dpo: dpo, reference: reference, scale: tokenReward.scale, clip: tokenReward.clip)
        let ids = batches.flatMap(\.targets)
        let paid = tokenReward.placement.objective(dense.rewards, rows: rows) {
            sentenceEnds?.contains(ids[$0]) == true
        }
        return (paid, dense.clipFraction)
    }

    /// The divergence that is paid for; k1 is not bound, as in RTO's reference code, the others are, as in OpenRLHF.
    private func penalty(_ policy: Tensor, _ reference: Tensor) -> Tensor {
        let estimator = settings.klEstimator.objective
        return estimator.estimate(policy: policy, reference: reference, clamp: estimator == .k1 ? nil : klBound)
    }

    private func sum(_ first: Tensor?, _ second: Tensor?) -> Tensor? {
        guard let first, let second else { return first ?? second }
        return first + second
    }

    /// With `--truncation penalize`, a response cut by the length limit scores the worst that the clip allows.
    private func penalized(_ scores: Tensor, _ isFinished: [Bool]) -> Tensor {
        guard settings.truncation == .penalize else { return scores }
        return Tensor(isFinished).select(scores, Tensor.full(scores.shape, -settings.rewardClip))
    }

    /// Scores against those of the same prompt, where the estimator compares them; the clip binds what comes out.
    private func relative(_ scores: Tensor) -> Tensor {
        settings.advantage.baseline?.relative(scores, groupSize: settings.sampling.samplesPerPrompt) ?? scores
    }

    private func estimate(_ rewards: Tensor, _ values: Tensor?, _ rows: RaggedRows) -> (Tensor, returns: Tensor) {
        guard let values else {
            let returns = discountedReturns(rewards: rewards, rows: rows, gamma: settings.gamma)
            return (returns, returns)
        }
        return generalizedAdvantages(
            rewards: rewards,
            values: values,
            rows: rows,
            gamma: settings.gamma,
            lambda: settings.lambda
        )
    }

    private func white(_ advantages: Tensor) -> Tensor {
        guard settings.advantage.whitens else { return advantages }
        return whitened(advantages, dividing: !settings.keepsAdvantageDeviation)
    }
}

/// The bound of OpenRLHF's estimates of the KL divergence at one token.
let klBound = 10.0

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

// The equations that settings name.

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

extension KLEstimatorChoice {
    /// The estimator's equation.
    var objective: KLEstimator {
        switch self {
        case .k1: .k1
        case .k2: .k2
        case .k3: .k3
        }
    }
}

extension AdvantageEstimator {
    /// What scores are measured against.
    var baseline: GroupBaseline? {
        switch self {
        case .gae, .reinforce: nil
        case .reinforceBaseline, .groupCentered: .mean
        case .leaveOneOut: .leaveOneOut
        case .groupNormalized: .normalized
        }
    }
}
