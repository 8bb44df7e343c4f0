import Configuration
import Foundation
import Models
import Objectives
import Torch

/// The Bradley–Terry reward model: −log σ(r(chosen) − r(rejected) − margin) (algorithm D.2).
final class RewardStage: DataStage {
    private let model: ScoreModel
    private let pairs: StageRows<PairRow>
    private let evaluationPairs: StageRows<PairRow>
    let schedule: DataSchedule
    private let configuration: TrainConfiguration
    let learner: Learner
    /// Of the last evaluation: what the final model's config.json carries for normalisation.
    private var statistics: RewardStatistics?
    let largestMicroBatch: LargestMicroBatch?

    init(
        _ configuration: TrainConfiguration,
        model: ScoreModel,
        pairs: StageRows<PairRow>,
        evaluation: StageRows<PairRow>
    ) throws {
        self.configuration = configuration
        self.model = model
        self.pairs = pairs
        evaluationPairs = evaluation
        schedule = try DataSchedule(configuration, rowCount: pairs.count, noun: "pairs")
        largestMicroBatch = try pairs.largestMicroBatch(configuration.loop)
        learner = Learner(
            "reward",
            model.parameters,
            settings: configuration.optimizer,
            totalSteps: schedule.totalSteps
        )
    }

    func step(_ step: Int) throws -> Metrics {
        let chosenPairs = schedule.rows(step: step)
        let rows = try pairs.rows(chosenPairs)
        var total = 0.0
        var tokens = 0
        var statistics = PairStatistics()
        for part in PairRow.microBatches(rows, tokenBudget: configuration.loop.microBatchTokens) {
            let (chosen, rejected) = model.rewards(part.batch).chosenAndRejected
            let partial = loss(chosen, rejected, rows[part.pairs].map { $0.margin ?? 0 }) / Double(chosenPairs.count)
            partial.backward()
            total += partial.scalar
            tokens += part.batch.batch.tokens.count
            statistics = statistics + PairStatistics(chosen: chosen, rejected: rejected)
        }
        var metrics = try update(step: step, loss: total)
        metrics["accuracy"] = statistics.accuracy
        metrics["margin"] = statistics.margin
        metrics["mean_reward"] = (statistics.chosen + statistics.rejected) / 2
        metrics["num_tokens"] = Double(tokens)
        return metrics
    }

    func evaluate() throws -> Metrics? {
        guard !evaluationPairs.isEmpty else { return nil }
        var scores: [Double] = []
        var pairStatistics = PairStatistics()
        var total = 0.0
        try withoutGradients {
            try evaluationPairs.forEachMicroBatch(tokenBudget: configuration.loop.microBatchTokens) { batch, pairs in
                let rewards = model.rewards(batch)
                let (chosen, rejected) = rewards.chosenAndRejected
                let margins = try evaluationPairs.rows(pairs).map { $0.margin ?? 0 }
                total += loss(chosen, rejected, margins).scalar
                pairStatistics = pairStatistics + PairStatistics(chosen: chosen, rejected: rejected)
                scores += rewards.doubles
            }
        }
        statistics = RewardStatistics(scores: scores)
        var metrics = Metrics()
        metrics["eval_loss"] = total / Double(evaluationPairs.count)
        metrics["eval_accuracy"] = pairStatistics.accuracy
        metrics["eval_margin"] = pairStatistics.margin
        metrics["eval_mean"] = statistics?.mean
        metrics["eval_std"] = statistics?.deviation
        return metrics
    }

    /// The summed loss of some pairs; both names of it are the same function.
    private func loss(_ chosen: Tensor, _ rejected: Tensor, _ margins: [Double]) -> Tensor {
        let margin = configuration.rewardLoss.usesMargin ? Tensor(margins) : nil
        return pairwiseRewardLoss(chosen: chosen, rejected: rejected, margin: margin).sum()
    }

    func saveModels(to directory: URL) throws {
        try configuration.copyCompanions(to: directory)
        try model.save(to: directory, dtype: .float32)
    }

    func saveState() throws -> StageState { StageState() }
    func restore(_ state: StageState) throws {}

    func export(to directory: URL) throws {
        // A run that was resumed after its last evaluation has not got them any more.
        if statistics == nil { _ = try evaluate() }
        if statistics == nil {
            note(
                "without --eval-data or --eval-share the model carries no mean and std: --normalize-reward will refuse it"
            )
        }
        try configuration.copyCompanions(to: directory)
        try model.save(
            to: directory,
            dtype: model.precision,
            statistics: statistics.map { ($0.mean, $0.deviation) }
        )
    }
}
