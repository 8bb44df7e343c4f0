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
    private let collector: RolloutCollector
    private let scorer: RolloutScorer
    private let update: RolloutUpdate
    private let recorder: RolloutRecorder
    private let endOfSequence: Int?
    private let updatesPerRollout: Int

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
        pretraining: PretrainingMixture? = nil,
        endOfSequence: Int?,
        recorder: RolloutRecorder
    ) throws {
        self.configuration = configuration
        self.scorer = scorer
        self.endOfSequence = endOfSequence
        self.recorder = recorder
        settings = configuration.reinforcement
        if settings.truncation == .forceEndOfSequence, endOfSequence == nil {
            throw TrainingError(
                "--truncation force-eos needs an end-of-sequence token, and neither config.json nor the tokenizer "
                    + "names one; use --truncation keep or penalize"
            )
        }
        updatesPerRollout = boundedProduct(settings.rolloutBatchSize / configuration.loop.batchSize, settings.epochs)
        collector = try RolloutCollector(
            configuration,
            policy: scorer.policy,
            source: source,
            endOfSequence: endOfSequence,
            updatesPerRollout: updatesPerRollout
        )
        totalSteps = min(
            boundedProduct(collector.schedule.totalSteps, updatesPerRollout),
            configuration.loop.maxSteps ?? .max
        )
        controller = KLController(
            coefficient: settings.klCoefficient,
            rule: settings.klTarget.map {
                .adaptive(target: $0, horizon: Double(configuration.reinforcement.klHorizon))
            }
                ?? .fixed
        )
        update = RolloutUpdate(configuration, scorer, pretraining, totalSteps: totalSteps)
    }

    let totalSteps: Int
    var rowCount: Int { collector.schedule.rowCount }
    var stepsPerEpoch: Int { boundedProduct(collector.schedule.stepsPerEpoch, updatesPerRollout) }
    var learners: [Learner] { [update.policyLearner] + (update.critic.map { [$0.learner] } ?? []) }

    func step(_ step: Int) throws -> Metrics {
        let number = step / updatesPerRollout
        let isFirst = experience == nil
        let current = try experience ?? collect(number, firstStep: step)
        experience = current
        let start = ContinuousClock.now
        var difference = MeanDifference(isMeasured: isFirst && trustsSampler)
        var metrics = try update(
            current,
            rows: minibatch(number, step % updatesPerRollout),
            step: step,
            klCoefficient: controller.coefficient,
            &difference
        )
        if let mean = difference.mean { rolloutMetrics["rollout/logprob_difference"] = mean }
        if (step + 1) % updatesPerRollout == 0 || step + 1 == totalSteps {
            controller.update(kl: rolloutMetrics["objective/kl_per_token"] ?? 0, rollouts: settings.rolloutBatchSize)
            experience = nil
        }
        metrics.append(rolloutMetrics)
        metrics["timing/train"] = seconds(since: start)
        return metrics
    }

    /// Samples responses, scores them and computes advantages.
    private func collect(_ number: Int, firstStep: Int) throws -> Experience {
        let sampling = ContinuousClock.now
        let rollout = try collector.rollout(number)
        let rolloutSeconds = seconds(since: sampling)
        let scoring = ContinuousClock.now
        let rows = rollout.rows(settings.truncation, endOfSequence: endOfSequence)
        // In float32 the sampler's numbers are the scorer's but for rounding, which the first update measures. In bfloat16
        // they differ by more than an update may change them.
        let sampled = scorer.policy.precision == .float32 ? rollout.samplerStatistics(rows) : nil
        let scored = try scorer.score(
            rows,
            isFinished: rollout.sequences.map(\.isFinished),
            klCoefficient: controller.coefficient,
            sampled: sampled
        )
        rolloutMetrics = RolloutSummary(settings: settings)(rollout, rows, scored)
        trustsSampler = sampled != nil
        if !trustsSampler {
            let difference = rollout.samplerDifference(rows, scored: scored.logProbabilities.floats)
            rolloutMetrics["rollout/logprob_difference"] = difference
        }
        rolloutMetrics["kl_coefficient"] = controller.coefficient
        rolloutMetrics["timing/rollout"] = rolloutSeconds
        rolloutMetrics["timing/score"] = seconds(since: scoring)
        if settings.savesRollouts { try recorder.record(rollout, rows, scored, step: firstStep + 1) }
        try recorder.show(rows, scored, step: firstStep + 1)
        return Experience(rows, scored, klInLoss: settings.klInLoss)
    }

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

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = ContinuousClock.now - start
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }

    // Checkpoints.

    func evaluate() throws -> Metrics? { nil }

    func saveModels(to directory: URL) throws {
        try savePolicy(scorer.policy, configuration, to: directory)
        guard let critic = scorer.critic else { return }
        let folder = directory.appending(path: Checkpoint.criticFolder)
        try makeDirectory(folder)
        try critic.model.save(to: folder, dtype: .float32)
    }

    func saveState() throws -> StageState {
        var state = StageState(tensors: (experience?.saved ?? []) + (update.average?.saved ?? []))
        if let pretraining = update.pretraining { state.values["ptx_rows"] = .integer(pretraining.rowCount) }
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
        if let rows = state.values["ptx_rows"]?.integer, rows != update.pretraining?.rowCount {
            throw TrainingError(
                "the run was started on \(rows) texts of --ptx-data and finds \(update.pretraining?.rowCount ?? 0) now; "
                    + "give it back its data"
            )
        }
        try update.average?.restore(state)
        let needed = Experience.Column.allCases.filter { column in
            switch column {
            case .logProbabilities, .advantages: true
            case .reference: settings.klInLoss
            case .values, .returns: scorer.critic != nil
            }
        }
        experience = try Experience(restoring: state, needing: needed)
        rolloutMetrics = Metrics()
        for (name, value) in state.values["rollout"]?.object?.members ?? [] { rolloutMetrics[name] = value.number }
    }

    func export(to directory: URL) throws {
        try update.average?.replacingWeights {
            let folder = directory.appending(path: Checkpoint.averageFolder)
            try makeDirectory(folder)
            try exportPolicy(scorer.policy, configuration, to: folder)
        }
        try exportPolicy(scorer.policy, configuration, to: directory)
    }
}

/// Names inside a checkpoint and a run.
enum Checkpoint {
    static let criticFolder = "critic"
    /// The moving average of the policy as a model of its own, beside the final model.
    static let averageFolder = "ema"
}
