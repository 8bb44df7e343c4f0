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
    /// The most that one pass of a step may hold, or nil where that is not known before the step.
    var largestMicroBatch: LargestMicroBatch? { get }

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
    var largestMicroBatch: LargestMicroBatch? { nil }
}

/// The most that one micro-batch may hold when rows are drawn at random.
struct LargestMicroBatch: Equatable {
    /// The budget, unless a row is larger or a whole batch is smaller.
    let tokens: Int
    /// Whether no step has a second one, which would find the gradients of the first.
    let isWholeStep: Bool

    /// For rows of these sizes, of which the largest are enough.
    init(rowSizes: [Int], batchSize: Int, tokenBudget: Int) {
        let largest = rowSizes.sorted(by: >).prefix(batchSize)
        let most = max(tokenBudget, largest.first ?? 0)
        let batch = largest.reduce(0, +)
        tokens = min(most, batch)
        isWholeStep = batch <= most
    }
}

/// What a stage keeps in a checkpoint beside models and optimizers.
struct StageState {
    var values = JSONObject()
    var tensors: [(name: String, tensor: Tensor)] = []

    /// A saved tensor, or nil.
    func tensor(_ name: String) -> Tensor? { tensors.first { $0.name == name }?.tensor }
}
