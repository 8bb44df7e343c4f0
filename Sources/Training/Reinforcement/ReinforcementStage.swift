import Configuration
import Datasets
import Foundation
import JSONText
import Models
import Objectives
import Tokenizers
import Torch

/// PPO and RTO: sample, score, update policy and critic.
///
/// RTO is PPO whose scorer has a DPO model.
final class ReinforcementStage: Stage {
    private let configuration: TrainConfiguration
    private let settings: ReinforcementSettings
    private let scorer: RolloutScorer
    private let source: RolloutSource
    private let schedule: DataSchedule
    private let stepsPerRollout: Int
    private let endOfSequence: Int?
    private let policyLearner: Learner
    private let criticLearner: Learner
    private let recorder: RolloutRecorder

    private var controller: KLController
    private var experience: Experience?
    /// The numbers of the current rollout, reported with each of its updates.
    private var rolloutMetrics = Metrics()
    /// Whether the current rollout's log-probabilities are the sampler's, to be compared in its first update.
    ///
    /// It is in no checkpoint: an experience is saved only after its first update.
    private var trustsSampler = false

    init(
        _ configuration: TrainConfiguration,
        scorer: RolloutScorer,
        source: RolloutSource,
        endOfSequence: Int?,
        recorder: RolloutRecorder
    ) throws {
        self.configuration = configuration
        self.scorer = scorer
        self.source = source
        self.endOfSequence = endOfSequence
        self.recorder = recorder
        settings = configuration.reinforcement
        if settings.truncation == .forceEndOfSequence, endOfSequence == nil {
            throw TrainingError(
                "--truncation force-eos needs an end-of-sequence token, and neither config.json nor the tokenizer "
                    + "names one; use --truncation keep or penalize"
            )
        }
        let updates = boundedProduct(settings.rolloutBatchSize / configuration.loop.batchSize, settings.epochs)
        stepsPerRollout = updates
        let isSampled = if case .prompts = source { true } else { false }
        schedule = try DataSchedule(
            rowCount: source.count,
            batchSize: isSampled
                ? settings.rolloutBatchSize / settings.sampling.samplesPerPrompt : settings.rolloutBatchSize,
            epochs: configuration.loop.epochs,
            maxSteps: configuration.loop.maxSteps.map { ($0 - 1) / updates + 1 },
            seed: configuration.loop.seed,
            isShuffled: !configuration.data.keepsOrder,
            noun: isSampled ? "prompts" : "recorded rollouts"
        )
        totalSteps = min(boundedProduct(schedule.totalSteps, updates), configuration.loop.maxSteps ?? .max)
        controller = KLController(
            coefficient: settings.klCoefficient,
            rule: settings.klTarget.map {
                .adaptive(target: $0, horizon: Double(configuration.reinforcement.klHorizon))
            }
                ?? .fixed
        )
        let optimizer = configuration.optimizer
        policyLearner = Learner(
            "policy",
            scorer.policy.parameters,
            settings: optimizer,
            totalSteps: totalSteps
        )
        criticLearner = Learner(
            "critic",
            scorer.critic.model.parameters,
            settings: optimizer,
            learningRate: settings.criticLearningRate,
            totalSteps: totalSteps
        )
    }

    let totalSteps: Int
    var rowCount: Int { schedule.rowCount }
    var stepsPerEpoch: Int { boundedProduct(schedule.stepsPerEpoch, stepsPerRollout) }
    var learners: [Learner] { [policyLearner, criticLearner] }

    func step(_ step: Int) throws -> Metrics {
        let number = step / stepsPerRollout
        let update = step % stepsPerRollout
        let isFirst = experience == nil
        let current = try experience ?? collect(number, firstStep: step)
        experience = current
        let start = ContinuousClock.now
        var difference = MeanDifference(isMeasured: isFirst && trustsSampler)
        var metrics = try self.update(current, rows: minibatch(number, update), step: step, &difference)
        if let mean = difference.mean { rolloutMetrics["rollout/logprob_difference"] = mean }
        if update + 1 == stepsPerRollout || step + 1 == totalSteps {
            controller.update(kl: rolloutMetrics["objective/kl_per_token"] ?? 0, rollouts: settings.rolloutBatchSize)
            experience = nil
        }
        metrics.append(rolloutMetrics)
        metrics["timing/train"] = seconds(since: start)
        return metrics
    }

    // Rollouts.

    /// Samples responses, scores them and computes advantages.
    private func collect(_ number: Int, firstStep: Int) throws -> Experience {
        let sampling = ContinuousClock.now
        let chosen = schedule.rows(step: number)
        let rollout = try sample(chosen, number)
        let rolloutSeconds = seconds(since: sampling)
        let scoring = ContinuousClock.now
        let rows = rollout.rows(settings.truncation, endOfSequence: endOfSequence)
        let coefficient = controller.coefficient
        // In float32 the sampler's numbers are the scorer's but for rounding, which the first update measures. In bfloat16
        // they differ by more than an update may change them.
        let sampled = scorer.policy.precision == .float32 ? rollout.samplerStatistics(rows) : nil
        let scored = scorer.score(
            rows,
            isFinished: rollout.sequences.map(\.isFinished),
            klCoefficient: coefficient,
            sampled: sampled
        )
        rolloutMetrics = summary(rollout, rows, scored)
        trustsSampler = sampled != nil
        if !trustsSampler {
            let difference = rollout.samplerDifference(rows, scored: scored.logProbabilities.floats)
            rolloutMetrics["rollout/logprob_difference"] = difference
        }
        rolloutMetrics["kl_coefficient"] = coefficient
        rolloutMetrics["timing/rollout"] = rolloutSeconds
        rolloutMetrics["timing/score"] = seconds(since: scoring)
        if settings.savesRollouts { try recorder.record(rollout, rows, scored, step: firstStep + 1) }
        try recorder.show(rows, scored, step: firstStep + 1)
        return Experience(rows, scored)
    }

    private func sample(_ chosen: [Int], _ number: Int) throws -> Rollout {
        switch source {
        case .recorded(let sequences):
            return Rollout(sequences: chosen.map { sequences[$0] })
        case .prompts(let prompts, let parameters):
            let ids = chosen.map { prompts[$0].ids }
            let samples = settings.sampling.samplesPerPrompt
            var parameters = parameters
            parameters.reportedToken = endOfSequence
            let completions = try SequenceGenerator(scorer.policy, parameters).generate(
                ids,
                samplesPerPrompt: samples,
                seed: UInt64(bitPattern: Int64(configuration.loop.seed)),
                firstIndex: UInt64(number * settings.rolloutBatchSize)
            )
            return Rollout(
                sequences: completions.enumerated().map { index, completion in
                    Rollout.Sequence(
                        prompt: ids[index / samples],
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

    // Updates.

    /// The rows of one update: a pass over the rollout in an order of its own.
    private func minibatch(_ number: Int, _ update: Int) -> [Int] {
        let size = configuration.loop.batchSize
        let perEpoch = settings.rolloutBatchSize / size
        // Not the order of the prompts: another stream of the same seed.
        let order = EpochOrder(
            count: settings.rolloutBatchSize,
            seed: ~UInt64(bitPattern: Int64(configuration.loop.seed)),
            epoch: number * settings.epochs + update / perEpoch,
            shuffles: !configuration.data.keepsOrder
        )
        let start = update % perEpoch * size
        return Array(order.indices[start..<start + size])
    }

    /// One step of policy and critic on the given rows.
    private func update(
        _ experience: Experience,
        rows chosen: [Int],
        step: Int,
        _ difference: inout MeanDifference
    ) throws -> Metrics {
        let rows = chosen.map { experience.rows[$0] }
        let totals = BatchTotals(RaggedRows(lengths: rows.map(\.response.count)))
        var sums = Metrics()
        func add(_ name: String, _ value: Tensor) { sums[name] = (sums[name] ?? 0) + value.scalar }
        var tokens = 0
        for range in ResponseBatch.microBatches(rows, tokenBudget: configuration.loop.microBatchTokens) {
            let batch = ResponseBatch(Array(rows[range]))
            let part = Array(chosen[range])
            let weights = LossWeights.weights(
                batch.ragged,
                normalization: configuration.optimizer.normalization,
                batch: totals
            )
            let new = scorer.policy.logProbabilities(batch, temperature: settings.sampling.temperature)
            let old = experience.tokens(part, of: \.logProbabilities)
            difference.add(new, old)
            let policy = clippedPolicyLoss(
                new: new,
                old: old,
                advantages: experience.tokens(part, of: \.advantages),
                weights: weights,
                clipRange: settings.clipRange
            )
            policy.loss.backward()
            let value = clippedValueLoss(
                new: scorer.critic.values(batch),
                old: experience.tokens(part, of: \.values),
                returns: experience.tokens(part, of: \.returns),
                weights: weights,
                clipRange: settings.valueClipRange
            )
            value.loss.backward()
            tokens += batch.batch.tokens.count
            add("policy/loss", policy.loss)
            add("policy/approxkl", policy.approximateKL)
            add("policy/clipfrac", policy.clipFraction)
            add("policy/ratio", policy.meanRatio)
            add("value/loss", value.loss)
            add("value/clipfrac", value.clipFraction)
        }
        var metrics = Metrics()
        metrics["loss"] = sums["policy/loss"]
        metrics["learning_rate"] = policyLearner.learningRate(step: step)
        metrics["critic_learning_rate"] = criticLearner.learningRate(step: step)
        metrics["grad_norm"] = try policyLearner.update(step: step)
        metrics["critic_grad_norm"] = try criticLearner.update(step: step)
        metrics["num_tokens"] = Double(tokens)
        metrics.append(sums)
        return metrics
    }

    // Statistics.

    private func summary(_ rollout: Rollout, _ rows: [ResponseBatch.Row], _ scored: ScoredRollout) -> Metrics {
        let ragged = RaggedRows(lengths: rows.map(\.response.count))
        let lengths = rows.map { Double($0.response.count) }
        var metrics = Metrics()
        metrics["objective/scores"] = scored.scores.mean().scalar
        metrics["objective/kl"] = ragged.sums(scored.kl).mean().scalar
        metrics["objective/kl_per_token"] = scored.kl.mean().scalar
        metrics["objective/entropy"] = scored.entropies.mean().scalar
        metrics["objective/rlhf_reward"] = ragged.sums(scored.rewards).mean().scalar
        metrics["value/explained_variance"] = explainedVariance(values: scored.values, returns: scored.returns)
        metrics["response_length/mean"] = lengths.reduce(0, +) / Double(max(1, lengths.count))
        metrics["response_length/min"] = lengths.min()
        metrics["response_length/max"] = lengths.max()
        metrics["response_length/truncated"] =
            Double(rollout.sequences.count { !$0.isFinished }) / Double(max(1, rows.count))
        if let dense = scored.tokenRewards {
            metrics["rto/token_reward_mean"] = dense.mean().scalar
            metrics["rto/token_reward_std"] = (dense - dense.mean()).squared().mean().scalar.squareRoot()
            metrics["rto/token_reward_min"] = dense.min().scalar
            metrics["rto/token_reward_max"] = dense.max().scalar
            metrics["rto/clip_fraction"] = scored.clipFraction
            metrics["rto/dense_share"] = denseShare(dense, scored.scores, ragged)
        }
        return metrics
    }

    /// Σ|token rewards| against Σ|token rewards| + |score|, the mean over rows: the dense reward should not dominate.
    private func denseShare(_ dense: Tensor, _ scores: Tensor, _ ragged: RaggedRows) -> Double {
        let tokens = ragged.sums(dense.magnitude())
        let bounded = settings.rewardClip > 0 ? scores.clamped(-settings.rewardClip, settings.rewardClip) : scores
        let total = tokens + settings.rewardCoefficient * bounded.magnitude()
        return (tokens / total.clamped(1e-12, nil)).mean().scalar
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = ContinuousClock.now - start
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }

    // Checkpoints.

    func evaluate() throws -> Metrics? { nil }

    func saveModels(to directory: URL) throws {
        try savePolicy(scorer.policy, configuration, to: directory)
        let critic = directory.appending(path: Checkpoint.criticFolder)
        try makeDirectory(critic)
        try scorer.critic.model.save(to: critic, dtype: .float32)
    }

    func saveState() throws -> StageState {
        var state = StageState(tensors: experience?.saved ?? [])
        state.values["kl_coefficient"] = .number(controller.coefficient)
        var numbers = JSONObject()
        if experience != nil {
            for (name, value) in rolloutMetrics.values { numbers[name] = .number(value) }
        }
        state.values["rollout"] = .object(numbers)
        return state
    }

    func restore(_ state: StageState) throws {
        guard let coefficient = state.values["kl_coefficient"]?.number else {
            throw TrainingError("the checkpoint's state has no kl_coefficient")
        }
        controller.coefficient = coefficient
        experience = try Experience(restoring: state)
        rolloutMetrics = Metrics()
        for (name, value) in state.values["rollout"]?.object?.members ?? [] { rolloutMetrics[name] = value.number }
    }

    func export(to directory: URL) throws { try exportPolicy(scorer.policy, configuration, to: directory) }
}

/// Names inside a checkpoint.
enum Checkpoint {
    static let criticFolder = "critic"
}
