import Configuration
import Foundation
import Models
import Objectives
import Torch

/// A response that is good or bad by itself.
struct LabelledRow {
    let row: ResponseBatch.Row
    let label: Bool
}

/// Kahneman–Tversky optimisation of single responses (algorithm D.7).
final class UnpairedStage: DataStage {
    private let policy: LanguageModel
    private let reference: LanguageModel
    private let loss: UnpairedPreference
    private let rows: StageRows<LabelledRow>
    private let evaluationRows: StageRows<LabelledRow>
    let schedule: DataSchedule
    private let configuration: TrainConfiguration
    let learner: Learner
    /// log π_ref of each row's response, NaN until its batch has come once; kept with the run.
    private var referenceSums: [Double]
    let largestMicroBatch: LargestMicroBatch?

    init(
        _ configuration: TrainConfiguration,
        policy: LanguageModel,
        reference: LanguageModel,
        rows: StageRows<LabelledRow>,
        evaluation: StageRows<LabelledRow>
    ) throws {
        guard evaluation.count != 1 else {
            throw TrainingError(
                "one usable row to evaluate on is too few: the divergence of `rto train kto` wants two"
            )
        }
        self.configuration = configuration
        self.policy = policy
        self.reference = reference
        self.rows = rows
        evaluationRows = evaluation
        let settings = configuration.unpaired
        loss = UnpairedPreference(
            beta: settings.beta,
            desirableWeight: settings.desirableWeight,
            undesirableWeight: settings.undesirableWeight
        )
        schedule = try DataSchedule(configuration, rowCount: rows.count, noun: "rows")
        referenceSums = Array(repeating: .nan, count: rows.count)
        largestMicroBatch = try rows.largestMicroBatch(configuration.loop)
        learner = Learner(
            "policy",
            policy.parameters,
            settings: configuration.optimizer,
            totalSteps: schedule.totalSteps
        )
    }

    func step(_ step: Int) throws -> Metrics {
        let places = schedule.rows(step: step)
        let batch = StageRows(try rows.rows(places)) { _ in 0 }
        if places.contains(where: { referenceSums[$0].isNaN }) {
            for (place, sum) in zip(places, try sums(reference, batch.map(\.row))) { referenceSums[place] = sum }
        }
        let divergence = try divergence(batch)
        var summary = UnpairedSummary()
        try forEachMicroBatch(batch) { part, range, labels in
            let (losses, rewards) = evaluate(part, labels, places[range].map { referenceSums[$0] }, divergence)
            (losses.sum() / Double(batch.count)).backward()
            summary.add(losses, rewards, labels, tokens: part.batch.tokens.count)
        }
        var metrics = try update(step: step, loss: summary.loss)
        metrics.append(summary.metrics(divergence, prefix: ""))
        metrics["num_tokens"] = Double(summary.tokens)
        return metrics
    }

    func evaluate() throws -> Metrics? {
        guard !evaluationRows.isEmpty else { return nil }
        return try withoutGradients {
            let divergence = try divergence(evaluationRows)
            let known = try sums(reference, evaluationRows.map(\.row))
            var summary = UnpairedSummary()
            try forEachMicroBatch(evaluationRows) { part, range, labels in
                let (losses, rewards) = evaluate(part, labels, Array(known[range]), divergence)
                summary.add(losses, rewards, labels, tokens: part.batch.tokens.count)
            }
            var metrics = Metrics()
            metrics["eval_loss"] = summary.loss
            metrics.append(summary.metrics(divergence, prefix: "eval_"))
            return metrics
        }
    }

    /// K of a batch: each prompt with the response of the next row, the last one's with the first's.
    private func divergence(_ batch: StageRows<LabelledRow>) throws -> Double {
        let mismatched = batch.mapWithNext { current, next in
            var row = next.row
            row.prompt = current.row.prompt
            return row
        }
        return UnpairedPreference.divergence(
            zip(try sums(policy, mismatched), try sums(reference, mismatched)).map(-)
        )
    }

    private func evaluate(
        _ part: ResponseBatch,
        _ labels: [Bool],
        _ known: [Double],
        _ divergence: Double
    ) -> (losses: Tensor, rewards: Tensor) {
        let sums = part.ragged.sums(policy.logProbabilities(part))
        return loss.evaluate(
            logRatios: sums - Tensor(known.map(Float.init)).to(sums.device),
            labels: labels,
            divergence: divergence
        )
    }

    /// log p of each row's response, without gradient.
    private func sums(_ model: LanguageModel, _ rows: StageRows<ResponseBatch.Row>) throws -> [Double] {
        var sums: [Double] = []
        try withoutGradients {
            try rows.forEachMicroBatch(tokenBudget: configuration.loop.microBatchTokens, { [$0] }) { batch, _ in
                sums += batch.ragged.sums(model.logProbabilities(batch)).doubles
            }
        }
        return sums
    }

    /// Hands out micro-batches, the numbers of their rows and their labels.
    private func forEachMicroBatch(
        _ rows: StageRows<LabelledRow>,
        _ body: (ResponseBatch, Range<Int>, [Bool]) throws -> Void
    ) throws {
        try rows.forEachMicroBatch(tokenBudget: configuration.loop.microBatchTokens, { [$0.row] }) { batch, range in
            try body(batch, range, try rows.rows(range).map(\.label))
        }
    }

    func saveModels(to directory: URL) throws { try savePolicy(policy, configuration, to: directory) }

    func saveState() throws -> StageState {
        StageState(tensors: [("reference_log_probabilities", Tensor(referenceSums))])
    }

    func restore(_ state: StageState) throws {
        guard let saved = state.tensor("reference_log_probabilities"), saved.count == referenceSums.count else {
            throw TrainingError("the checkpoint belongs to other data: it knows another number of rows")
        }
        referenceSums = saved.doubles
    }

    func export(to directory: URL) throws { try exportPolicy(policy, configuration, to: directory) }
}

/// Losses and rewards of single responses, over the micro-batches of a step.
private struct UnpairedSummary {
    private var losses: [Double] = []
    private var good: [Double] = []
    private var bad: [Double] = []
    private(set) var tokens = 0

    mutating func add(_ losses: Tensor, _ rewards: Tensor, _ labels: [Bool], tokens: Int) {
        self.losses += losses.detached().doubles
        self.tokens += tokens
        for (reward, label) in zip(rewards.doubles, labels) {
            if label { good.append(reward) } else { bad.append(reward) }
        }
    }

    var loss: Double { Self.mean(losses) ?? 0 }

    /// What a batch without good or without bad responses lacks is left out.
    func metrics(_ divergence: Double, prefix: String) -> Metrics {
        let (good, bad) = (Self.mean(good), Self.mean(bad))
        var metrics = Metrics()
        metrics[prefix + "rewards/chosen"] = good
        metrics[prefix + "rewards/rejected"] = bad
        if let good, let bad { metrics[prefix + "rewards/margins"] = good - bad }
        metrics[prefix + "kl"] = divergence
        return metrics
    }

    private static func mean(_ numbers: [Double]) -> Double? {
        numbers.isEmpty ? nil : numbers.reduce(0, +) / Double(numbers.count)
    }
}
