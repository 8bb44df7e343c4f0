import Configuration
import Models
import Objectives
import Torch

/// One optimizer step on rows of an experience: of the policy and, where there is one, of the critic.
struct RolloutUpdate {
    let configuration: TrainConfiguration
    let policy: LanguageModel
    let policyLearner: Learner
    let critic: (model: CriticModel, learner: Learner)?
    /// Texts that the policy learns, too.
    let pretraining: PretrainingMixture?
    /// The average of the policy's weights over the steps.
    let average: MovingAverage?

    /// An update with fresh optimizers.
    init(
        _ configuration: TrainConfiguration,
        _ scorer: RolloutScorer,
        _ pretraining: PretrainingMixture?,
        totalSteps: Int
    ) {
        self.configuration = configuration
        self.pretraining = pretraining
        average = configuration.reinforcement.emaDecay.map { MovingAverage(of: scorer.policy.parameters, decay: $0) }
        policy = scorer.policy
        func learner(_ name: String, _ parameters: ParameterStore, _ rate: Double? = nil) -> Learner {
            Learner(
                name,
                parameters,
                settings: configuration.optimizer,
                learningRate: rate,
                totalSteps: totalSteps
            )
        }
        policyLearner = learner("policy", scorer.policy.parameters)
        critic = scorer.critic.map {
            ($0, learner("critic", $0.model.parameters, configuration.reinforcement.criticLearningRate))
        }
    }

    /// Rows that pass through the models together.
    private struct Part {
        let batch: ResponseBatch
        let weights: Tensor
        let experience: Experience
        let rows: [Int]

        func callAsFunction(_ column: Experience.Column) -> Tensor { experience.tokens(rows, of: column) }
    }

    private var settings: ReinforcementSettings { configuration.reinforcement }

    /// Makes optimizer step `step`, counted from 0, with the KL coefficient β₂ of the moment.
    func callAsFunction(
        _ experience: Experience,
        rows chosen: [Int],
        step: Int,
        klCoefficient: Double,
        _ difference: inout MeanDifference
    ) throws -> Metrics {
        let isFrozen = step < settings.freezeActorSteps
        let rows = chosen.map { experience.rows[$0] }
        let totals = BatchTotals(RaggedRows(lengths: rows.map(\.response.count)))
        var sums = LossSums(weight: configuration.normalization.total(of: totals))
        for range in ResponseBatch.microBatches(rows, tokenBudget: configuration.loop.microBatchTokens) {
            let batch = ResponseBatch(Array(rows[range]))
            let weights = LossWeights.weights(batch.ragged, normalization: configuration.normalization, batch: totals)
            let part = Part(batch: batch, weights: weights, experience: experience, rows: Array(chosen[range]))
            if isFrozen {
                _ = withoutGradients { policyLoss(part, klCoefficient, &sums, &difference) }
            } else {
                policyLoss(part, klCoefficient, &sums, &difference).backward()
            }
            learnValues(part, &sums)
            sums.tokens += batch.batch.tokens.count
        }
        if let pretraining, !isFrozen { sums.add(try pretraining.learn(policy, step: step)) }
        var metrics = Metrics()
        metrics["loss"] = sums.policy
        metrics["learning_rate"] = isFrozen ? 0 : policyLearner.learningRate(step: step)
        metrics["critic_learning_rate"] = critic?.learner.learningRate(step: step)
        metrics["grad_norm"] = isFrozen ? 0 : try policyLearner.update(step: step)
        metrics["critic_grad_norm"] = try critic?.learner.update(step: step)
        if !isFrozen { average?.update() }
        metrics["num_tokens"] = Double(sums.tokens)
        metrics.append(sums.metrics)
        return metrics
    }

    /// What the policy minimises of a part.
    private func policyLoss(
        _ part: Part,
        _ klCoefficient: Double,
        _ sums: inout LossSums,
        _ difference: inout MeanDifference
    ) -> Tensor {
        let new = policy.logProbabilities(part.batch, temperature: settings.sampling.temperature)
        let old = part(.logProbabilities)
        difference.add(new, old)
        let clipped = clippedPolicyLoss(
            new: new,
            old: old,
            advantages: part(.advantages),
            weights: part.weights,
            clip: settings.policyClip
        )
        var loss = clipped.loss
        if settings.klInLoss {
            let kl = settings.klEstimator.objective.loss(new: new, reference: part(.reference), weights: part.weights)
            loss = loss + klCoefficient * kl
            sums.add(mean: "policy/kl", kl)
        }
        sums.policy += loss.scalar
        sums.add(loss: "policy/loss", clipped.loss)
        sums.add(mean: "policy/approxkl", clipped.approximateKL)
        sums.add(mean: "policy/clipfrac", clipped.clipFraction)
        sums.add(mean: "policy/ratio", clipped.meanRatio)
        return loss
    }

    private func learnValues(_ part: Part, _ sums: inout LossSums) {
        guard let critic else { return }
        let clipped = clippedValueLoss(
            new: critic.model.values(part.batch),
            old: part(.values),
            returns: part(.returns),
            weights: part.weights,
            clipRange: settings.valueClipRange
        )
        clipped.loss.backward()
        sums.add(loss: "value/loss", clipped.loss)
        sums.add(mean: "value/clipfrac", clipped.clipFraction)
    }
}

/// Losses and statistics of the micro-batches of one step, added up.
private struct LossSums {
    /// What the weights of a batch sum to.
    let weight: Double
    var metrics = Metrics()
    /// What the policy minimised.
    var policy = 0.0
    var tokens = 0

    init(weight: Double) { self.weight = weight }

    mutating func add(loss name: String, _ value: Tensor) { metrics[name] = (metrics[name] ?? 0) + value.scalar }

    mutating func add(_ pretraining: (loss: Double, weighted: Double, tokens: Int)) {
        metrics["ptx/loss"] = pretraining.loss
        policy += pretraining.weighted
        tokens += pretraining.tokens
    }

    /// A mean over tokens, whatever their weights sum to.
    mutating func add(mean name: String, _ value: Tensor) {
        metrics[name] = (metrics[name] ?? 0) + value.scalar / weight
    }
}

extension ReinforcementSettings {
    fileprivate var policyClip: PolicyClip {
        PolicyClip(clipRange, upper: clipRangeHigh, dual: dualClip, logRatio: logRatioClip)
    }
}

extension KLEstimator {
    /// Σ wₜ·klₜ of the policy that is trained, a scalar; gradients flow to `new`.
    fileprivate func loss(new: Tensor, reference: Tensor, weights: Tensor) -> Tensor {
        let kl = estimate(policy: new, reference: reference.to(new.device), clamp: klBound)
        return (weights.to(kl.device).to(kl.dtype) * kl).sum()
    }
}
