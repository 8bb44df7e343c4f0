import Foundation
import JSONText
import Torch

/// One kind of training: what a step does, and what must be saved to go on from any step.
///
/// Logging, saving, evaluation and resuming are written once, in ``TrainingLoop``.
protocol Stage: AnyObject {
    /// The parameters that are trained, each with its optimizer.
    var learners: [Learner] { get }
    /// Optimizer steps of the whole run.
    var totalSteps: Int { get }
    /// Rows of the data, by which a resumed run notices that they changed.
    var rowCount: Int { get }
    /// Optimizer steps of one pass over the data.
    var stepsPerEpoch: Int { get }
    /// The most tokens that one pass of a step may hold, or nil where that is not known before the step.
    var largestMicroBatch: Int? { get }

    /// Makes optimizer step `step`, counted from 0.
    func step(_ step: Int) throws -> Metrics
    /// Measures the held-out rows, or nil where there are none.
    func evaluate() throws -> Metrics?
    /// Writes every trained model with its float32 masters into a checkpoint.
    func saveModels(to directory: URL) throws
    /// What beside models and optimizers the next step depends on.
    func saveState() throws -> StageState
    /// Takes up the state of a checkpoint.
    func restore(_ state: StageState) throws
    /// Writes the final model, in the type of the run.
    func export(to directory: URL) throws
}

extension Stage {
    var largestMicroBatch: Int? { nil }
}

/// The most tokens of one micro-batch when rows of these sizes are drawn at random: the budget, unless a row is larger or
/// a whole batch is smaller.
func largestMicroBatch(rowSizes: [Int], batchSize: Int, tokenBudget: Int) -> Int {
    let largest = rowSizes.sorted(by: >).prefix(batchSize)
    return min(max(tokenBudget, largest.first ?? 0), largest.reduce(0, +))
}

/// What a stage keeps in a checkpoint beside models and optimizers.
struct StageState {
    var values = JSONObject()
    var tensors: [(name: String, tensor: Tensor)] = []

    /// A saved tensor, or nil.
    func tensor(_ name: String) -> Tensor? { tensors.first { $0.name == name }?.tensor }
}
