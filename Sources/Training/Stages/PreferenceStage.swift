import Configuration
import Foundation
import Models
import Objectives
import Torch

/// Direct preference optimisation and its relatives: any ``PreferenceLoss`` on pairs (algorithms D.3 to D.6).
final class PreferenceStage: DataStage {
    private let scorer: PreferenceScorer
    private let loss: any PreferenceLoss
    private let pairs: StageRows<PairRow>
    private let evaluationPairs: StageRows<PairRow>
    let schedule: DataSchedule
    private let configuration: TrainConfiguration
    let learner: Learner
    /// log π_ref of each row's response, NaN until its batch has come once; kept with the run.
    ///
    /// Nil where the loss wants nothing of the reference model, or more.
    private var referenceSums: [Double]?
    private var evaluationSums: [Double]?
    let largestMicroBatch: LargestMicroBatch?

    /// - Parameter reference: the reference model, where the loss needs one
    init(
        _ configuration: TrainConfiguration,
        policy: LanguageModel,
        reference: LanguageModel?,
        pairs: StageRows<PairRow>,
        evaluation: StageRows<PairRow>
    ) throws {
        self.configuration = configuration
        self.pairs = pairs
        evaluationPairs = evaluation
        loss = configuration.preference.objective
        scorer = PreferenceScorer(policy: policy, reference: PreferenceReference(loss.referenceNeed, reference))
        schedule = try DataSchedule(configuration, rowCount: pairs.count, noun: "pairs")
        largestMicroBatch = try pairs.largestMicroBatch(configuration.loop)
        if loss.referenceNeed == .logProbabilities {
            referenceSums = Array(repeating: .nan, count: 2 * pairs.count)
        }
        learner = Learner(
            "policy",
            policy.parameters,
            settings: configuration.optimizer,
            totalSteps: schedule.totalSteps
        )
    }

    func step(_ step: Int) throws -> Metrics {
        let chosenPairs = schedule.rows(step: step)
        let parts = PairRow.microBatches(
            try pairs.rows(chosenPairs),
            tokenBudget: configuration.loop.microBatchTokens
        )
        let known = knownSums(places: chosenPairs.flatMap { [2 * $0, 2 * $0 + 1] }, parts)
        var total = 0.0
        var summary = PreferenceSummary()
        for part in parts {
            let scored = scorer(part.batch, referenceSums: known?.rows(of: part.pairs))
            let outcome = loss.evaluate(scored)
            let partial = outcome.losses.sum() / Double(chosenPairs.count)
            partial.backward()
            total += partial.scalar
            summary.add(outcome, scored)
        }
        var metrics = try update(step: step, loss: total)
        metrics.append(summary.metrics(prefix: ""))
        metrics["num_tokens"] = Double(parts.map(\.batch.batch.tokens.count).reduce(0, +))
        return metrics
    }

    /// The reference's sums of the rows of a step, computed where one of them has not come before.
    private func knownSums(places: [Int], _ parts: [(batch: ResponseBatch, pairs: Range<Int>)]) -> [Double]? {
        guard let sums = referenceSums else { return nil }
        if places.contains(where: { sums[$0].isNaN }), let found = scorer.referenceSums(parts.map(\.batch)) {
            for (place, sum) in zip(places, found) { referenceSums?[place] = sum }
        }
        return referenceSums.map { sums in places.map { sums[$0] } }
    }

    func evaluate() throws -> Metrics? {
        guard !evaluationPairs.isEmpty else { return nil }
        return try withoutGradients {
            let known = evaluationSums
            var sums: [Double] = []
            var total = 0.0
            var summary = PreferenceSummary()
            try evaluationPairs.forEachMicroBatch(tokenBudget: configuration.loop.microBatchTokens) { batch, pairs in
                let reference = known?.rows(of: pairs) ?? scorer.referenceSums([batch])
                sums += reference ?? []
                let scored = scorer(batch, referenceSums: reference)
                let outcome = loss.evaluate(scored)
                total += outcome.losses.sum().scalar
                summary.add(outcome, scored)
            }
            if !sums.isEmpty { evaluationSums = sums }
            var metrics = Metrics()
            metrics["eval_loss"] = total / Double(evaluationPairs.count)
            metrics.append(summary.metrics(prefix: "eval_"))
            return metrics
        }
    }

    func saveModels(to directory: URL) throws { try savePolicy(scorer.policy, configuration, to: directory) }

    func saveState() throws -> StageState {
        StageState(tensors: referenceSums.map { [("reference_log_probabilities", Tensor($0))] } ?? [])
    }

    func restore(_ state: StageState) throws {
        guard let sums = referenceSums else { return }
        guard let saved = state.tensor("reference_log_probabilities"), saved.count == sums.count else {
            throw TrainingError("the checkpoint belongs to other data: it knows another number of pairs")
        }
        referenceSums = saved.doubles
    }

    func export(to directory: URL) throws { try exportPolicy(scorer.policy, configuration, to: directory) }
}

extension PreferenceReference {
    /// The reference model for a loss; traps where the loss needs one and there is none.
    fileprivate init(_ need: ReferenceNeed, _ model: LanguageModel?) {
        guard need != .none else {
            self = .none
            return
        }
        guard let model else { preconditionFailure("this preference loss needs a reference model") }
        self = need == .logProbabilities ? .logProbabilities(model) : .distributions(model)
    }
}

extension [Double] {
    /// The numbers of both rows of each of some pairs.
    fileprivate func rows(of pairs: Range<Int>) -> [Double] { Array(self[2 * pairs.lowerBound..<2 * pairs.upperBound]) }
}

/// Rewards and log-probabilities of pairs, over the micro-batches of a step.
private struct PreferenceSummary {
    private var rewards = PairStatistics()
    private var logProbabilities = PairStatistics()

    mutating func add(_ outcome: PreferenceOutcome, _ scored: PreferenceLogProbabilities) {
        rewards = rewards + PairStatistics(chosen: outcome.chosenRewards, rejected: outcome.rejectedRewards)
        logProbabilities = logProbabilities + PairStatistics(chosen: scored.chosen, rejected: scored.rejected)
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
