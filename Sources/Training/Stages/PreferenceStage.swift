import Configuration
import Foundation
import Models
import Objectives
import Torch

/// Direct preference optimisation and its relatives: any ``PreferenceLoss`` on pairs (algorithm D.3).
final class PreferenceStage: Stage {
    private let policy: LanguageModel
    private let reference: LanguageModel
    private let loss: any PreferenceLoss
    private let pairs: PairRows
    private let evaluationPairs: PairRows
    private let schedule: DataSchedule
    private let configuration: TrainConfiguration
    private let learner: Learner
    /// log π_ref of each row's response, NaN until its batch has come once; kept with the run.
    private var referenceSums: [Double]
    private var evaluationSums: [Double] = []

    init(
        _ configuration: TrainConfiguration,
        policy: LanguageModel,
        reference: LanguageModel,
        pairs: PairRows,
        evaluation: PairRows
    ) throws {
        self.configuration = configuration
        self.policy = policy
        self.reference = reference
        self.pairs = pairs
        evaluationPairs = evaluation
        let preference = configuration.preference
        loss =
            switch preference.loss {
            case .dpo: DirectPreference(beta: preference.beta, labelSmoothing: preference.labelSmoothing)
            case .ipo: IdentityPreference(beta: preference.beta)
            }
        schedule = try DataSchedule(configuration, rowCount: pairs.count, noun: "pairs")
        referenceSums = Array(repeating: .nan, count: pairs.rows.count)
        learner = Learner(
            "policy",
            policy.parameters,
            settings: configuration.optimizer,
            totalSteps: schedule.totalSteps
        )
    }

    var learners: [Learner] { [learner] }
    var totalSteps: Int { schedule.totalSteps }
    var rowCount: Int { schedule.rowCount }
    var stepsPerEpoch: Int { schedule.stepsPerEpoch }
    var largestMicroBatch: Int? { pairs.largestMicroBatch(configuration.loop) }

    func step(_ step: Int) throws -> Metrics {
        let chosenPairs = schedule.rows(step: step)
        let rows = pairs.rows(of: chosenPairs)
        let places = chosenPairs.flatMap { [2 * $0, 2 * $0 + 1] }
        let parts = microBatches(rows)
        if places.contains(where: { referenceSums[$0].isNaN }) {
            for (place, sum) in zip(places, scoreReference(parts)) { referenceSums[place] = sum }
        }
        var total = 0.0
        var summary = PreferenceSummary()
        for part in parts {
            let known = places[2 * part.pairs.lowerBound..<2 * part.pairs.upperBound].map { referenceSums[$0] }
            let sums = part.batch.ragged.sums(policy.logProbabilities(part.batch))
            let outcome = evaluate(sums, reference: known, part.batch)
            let partial = outcome.losses.sum() / Double(chosenPairs.count)
            partial.backward()
            total += partial.scalar
            summary.add(outcome, sums)
        }
        var metrics = Metrics()
        metrics["loss"] = total
        metrics["learning_rate"] = learner.learningRate(step: step)
        metrics["grad_norm"] = try learner.update(step: step)
        metrics.append(summary.metrics(prefix: ""))
        metrics["num_tokens"] = Double(parts.map(\.batch.batch.tokens.count).reduce(0, +))
        return metrics
    }

    func evaluate() throws -> Metrics? {
        guard evaluationPairs.count > 0 else { return nil }
        return withoutGradients {
            let parts = microBatches(evaluationPairs.rows)
            if evaluationSums.isEmpty { evaluationSums = scoreReference(parts) }
            var total = 0.0
            var summary = PreferenceSummary()
            for part in parts {
                let known = Array(evaluationSums[2 * part.pairs.lowerBound..<2 * part.pairs.upperBound])
                let sums = part.batch.ragged.sums(policy.logProbabilities(part.batch))
                let outcome = evaluate(sums, reference: known, part.batch)
                total += outcome.losses.sum().scalar
                summary.add(outcome, sums)
            }
            var metrics = Metrics()
            metrics["eval_loss"] = total / Double(evaluationPairs.count)
            metrics.append(summary.metrics(prefix: "eval_"))
            return metrics
        }
    }

    private func microBatches(_ rows: [ResponseBatch.Row]) -> [(batch: ResponseBatch, pairs: Range<Int>)] {
        PairRows.microBatches(rows, tokenBudget: configuration.loop.microBatchTokens)
    }

    private func scoreReference(_ parts: [(batch: ResponseBatch, pairs: Range<Int>)]) -> [Double] {
        withoutGradients {
            parts.flatMap { $0.batch.ragged.sums(reference.logProbabilities($0.batch)).doubles }
        }
    }

    /// The loss of the pairs of one batch from summed log-probabilities of its rows `[2·pairs]`.
    private func evaluate(_ sums: Tensor, reference: [Double], _ batch: ResponseBatch) -> PreferenceOutcome {
        let (chosen, rejected) = sums.chosenAndRejected
        let (referenceChosen, referenceRejected) = Tensor(reference.map { Float($0) }).to(sums.device).chosenAndRejected
        return loss.evaluate(
            PreferenceLogProbabilities(
                chosen: chosen,
                rejected: rejected,
                referenceChosen: referenceChosen,
                referenceRejected: referenceRejected,
                chosenLengths: batch.lengths.alternate(from: 0),
                rejectedLengths: batch.lengths.alternate(from: 1)
            )
        )
    }

    func saveModels(to directory: URL) throws { try savePolicy(policy, configuration, to: directory) }

    func saveState() throws -> StageState {
        StageState(tensors: [("reference_log_probabilities", Tensor(referenceSums))])
    }

    func restore(_ state: StageState) throws {
        guard let saved = state.tensor("reference_log_probabilities"), saved.count == referenceSums.count else {
            throw TrainingError("the checkpoint belongs to other data: it knows another number of pairs")
        }
        referenceSums = saved.doubles
    }

    func export(to directory: URL) throws { try exportPolicy(policy, configuration, to: directory) }
}

/// Rewards and log-probabilities of pairs, over the micro-batches of a step.
private struct PreferenceSummary {
    private var rewards = PairStatistics()
    private var logProbabilities = PairStatistics()

    mutating func add(_ outcome: PreferenceOutcome, _ sums: Tensor) {
        rewards = rewards + PairStatistics(chosen: outcome.chosenRewards, rejected: outcome.rejectedRewards)
        let (chosen, rejected) = sums.chosenAndRejected
        logProbabilities = logProbabilities + PairStatistics(chosen: chosen, rejected: rejected)
    }

    func metrics(prefix: String) -> Metrics {
        var metrics = Metrics()
        metrics[prefix + "rewards/chosen"] = rewards.chosen
        metrics[prefix + "rewards/rejected"] = rewards.rejected
        metrics[prefix + "rewards/accuracies"] = rewards.accuracy
        metrics[prefix + "rewards/margins"] = rewards.margin
        metrics[prefix + "logps/chosen"] = logProbabilities.chosen
        metrics[prefix + "logps/rejected"] = logProbabilities.rejected
        return metrics
    }
}
