import Configuration
import Foundation
import Models
import Objectives
import Safetensors
import Torch

/// Supervised fine-tuning: cross entropy of completions (algorithm D.1); with a teacher, knowledge distillation (D.8).
final class SupervisedStage: DataStage {
    private let objective: CompletionLoss
    private let rows: StageRows<ResponseBatch.Row>
    private let evaluationRows: StageRows<ResponseBatch.Row>
    let schedule: DataSchedule
    private let configuration: TrainConfiguration
    let learner: Learner
    let largestMicroBatch: LargestMicroBatch?

    init(
        _ configuration: TrainConfiguration,
        policy: LanguageModel,
        teacher: LanguageModel? = nil,
        rows: StageRows<ResponseBatch.Row>,
        evaluation: StageRows<ResponseBatch.Row>
    ) throws {
        self.configuration = configuration
        let coefficient = configuration.distillation.coefficient
        objective = CompletionLoss(policy: policy, teacher: teacher.map { .init(model: $0, coefficient: coefficient) })
        self.rows = rows
        evaluationRows = evaluation
        schedule = try DataSchedule(configuration, rowCount: rows.count, noun: "rows")
        largestMicroBatch = try rows.largestMicroBatch(configuration.loop)
        learner = Learner(
            "policy",
            policy.parameters,
            settings: configuration.optimizer,
            totalSteps: schedule.totalSteps
        )
    }

    func step(_ step: Int) throws -> Metrics {
        let parts = microBatches(try rows.rows(schedule.rows(step: step)))
        let totals = parts.map { BatchTotals($0.ragged) }.reduce(BatchTotals(tokens: 0, rows: 0), +)
        var found = CompletionLoss.Statistics()
        for part in parts { found += pass(over: part, configuration.normalization, totals) { $0.backward() } }
        var metrics = try update(step: step, loss: found.loss)
        metrics["completion_loss"] = found.divergence == nil ? nil : found.crossEntropy
        metrics["teacher_kl"] = found.divergence
        metrics["num_tokens"] = Double(parts.map(\.batch.tokens.count).reduce(0, +))
        return metrics
    }

    func evaluate() throws -> Metrics? {
        guard !evaluationRows.isEmpty else { return nil }
        let budget = configuration.loop.microBatchTokens
        var totals = BatchTotals(tokens: 0, rows: 0)
        var found = CompletionLoss.Statistics()
        try withoutGradients {
            try evaluationRows.forEachMicroBatch(tokenBudget: budget, { [$0] }) { part, _ in
                totals = totals + BatchTotals(part.ragged)
            }
            try evaluationRows.forEachMicroBatch(tokenBudget: budget, { [$0] }) { part, _ in
                found += pass(over: part, .token, totals) { _ in }
            }
        }
        var metrics = Metrics()
        metrics["eval_loss"] = found.loss
        metrics["eval_perplexity"] = exp(found.crossEntropy)
        metrics["eval_teacher_kl"] = found.divergence
        return metrics
    }

    /// The numbers of a micro-batch, and what becomes of its loss.
    private func pass(
        over part: ResponseBatch,
        _ normalization: Objectives.LossNormalization,
        _ totals: BatchTotals,
        _ learn: (Tensor) -> Void
    ) -> CompletionLoss.Statistics {
        guard !part.targets.isEmpty else { return CompletionLoss.Statistics() }
        let weights = LossWeights.weights(part.ragged, normalization: normalization, batch: totals)
        let (loss, statistics) = objective(part, weights: weights)
        learn(loss)
        return statistics
    }

    private func microBatches(_ rows: [ResponseBatch.Row]) -> [ResponseBatch] {
        ResponseBatch.microBatches(rows, tokenBudget: configuration.loop.microBatchTokens)
            .map { ResponseBatch(Array(rows[$0])) }
    }

    func saveModels(to directory: URL) throws { try savePolicy(objective.policy, configuration, to: directory) }
    func saveState() throws -> StageState { StageState() }
    func restore(_ state: StageState) throws {}
    func export(to directory: URL) throws {
        try exportPolicy(objective.policy, configuration, to: directory)
    }
}

extension DataSchedule {
    /// The schedule of a stage that takes rows of its data.
    init(_ configuration: TrainConfiguration, rowCount: Int, noun: String) throws {
        try self.init(
            rowCount: rowCount,
            batchSize: configuration.loop.batchSize,
            epochs: configuration.loop.epochs,
            maxSteps: configuration.loop.maxSteps,
            seed: configuration.loop.seed,
            isShuffled: !configuration.data.keepsOrder,
            noun: noun
        )
    }
}

extension ResponseBatch {
    /// The scored tokens as ragged rows.
    var ragged: RaggedRows { RaggedRows(lengths: lengths) }
}

/// Writes the final policy and the files that travel with it; `config.json` comes last and marks the run as finished.
func exportPolicy(_ policy: LanguageModel, _ configuration: TrainConfiguration, to directory: URL) throws {
    try configuration.copyCompanions(to: directory)
    try policy.save(to: directory, dtype: policy.precision)
}

/// Writes a policy's float32 masters into a checkpoint, which any tool loads too.
func savePolicy(_ policy: LanguageModel, _ configuration: TrainConfiguration, to directory: URL) throws {
    try configuration.copyCompanions(to: directory)
    try policy.save(to: directory, dtype: .float32)
}

extension TrainConfiguration {
    /// Writes tokenizer, chat template and generation settings beside trained weights: those that training used.
    func copyCompanions(to directory: URL) throws {
        let own = URL(filePath: model.model)
        try Companions.copy(Companions.generation, from: own, to: directory)
        try Companions.copy(Companions.tokenizer, from: URL(filePath: model.tokenizerDirectory), to: directory)
        if let template = try data.chatTemplateText() {
            try AtomicFile.write(Array(template.utf8), to: directory.appending(path: Companions.chatTemplate))
        }
    }
}
