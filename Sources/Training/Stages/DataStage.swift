/// A stage that trains one model on rows of its data, so many at each step.
protocol DataStage: Stage {
    /// Which rows a step takes.
    var schedule: DataSchedule { get }
    var learner: Learner { get }
}

extension DataStage {
    var learners: [Learner] { [learner] }
    var totalSteps: Int { schedule.totalSteps }
    var rowCount: Int { schedule.rowCount }
    var stepsPerEpoch: Int { schedule.stepsPerEpoch }

    /// Makes an optimizer step with the gradients that were collected, and begins its metrics.
    ///
    /// - Throws: `TrainingError` with status 75 where the gradient is not finite; nothing has changed then.
    func update(step: Int, loss: Double) throws -> Metrics {
        var metrics = Metrics()
        metrics["loss"] = loss
        metrics["learning_rate"] = learner.learningRate(step: step)
        metrics["grad_norm"] = try learner.update(step: step)
        return metrics
    }
}
