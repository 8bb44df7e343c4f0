import Foundation
import Objectives
import Testing
import Torch

@Suite("distillationLoss")
struct DistillationTests {
    private func loss(_ found: TokenDistributions, _ coefficient: Double) -> Tensor {
        let rows = RaggedRows(lengths: [found.divergences.count])
        return distillationLoss(
            logProbabilities: found.logProbabilities,
            divergences: found.divergences,
            teacherEntropies: found.referenceEntropies,
            coefficient: coefficient,
            weights: LossWeights.weights(rows, normalization: .token, batch: BatchTotals(rows))
        )
    }

    /// Logits of probabilities, `[rows, vocabulary]`.
    private func logits(_ probabilities: [[Double]]) -> Tensor {
        Tensor(probabilities.flatMap { $0 }.map { log($0) }, shape: [probabilities.count, probabilities[0].count])
    }

    @Test("by hand: two tokens, and the teacher's mask is that of the completion")
    func byHand() {
        let student = logits([[0.5, 0.25, 0.25], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
        let teacher = logits([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [1.0 / 3, 1.0 / 3, 1.0 / 3]])
        // Labels −100, −100, 1, 2: position 1 predicts token 1, position 2 predicts token 2; position 0 is of the prompt.
        let found = tokenDistributions(student, reference: teacher, labelledPositions([[-100, -100, 1, 2]]))
        let completion = -(log(0.6) + log(0.6)) / 2
        let first = -(0.2 * log(0.1) + 0.5 * log(0.6) + 0.3 * log(0.3))
        let second = -(log(0.2) + log(0.2) + log(0.6)) / 3
        expectClose([loss(found, 0.4).scalar], [0.6 * completion + 0.4 * (first + second) / 2])
        expectClose([loss(found, 0).scalar, loss(found, 1).scalar], [completion, (first + second) / 2])
    }

    @Test("a teacher equal to the student costs its entropy and pulls at nothing")
    func equal() {
        let student = logits([[0.5, 0.25, 0.25]])
        student.requiresGradient = true
        let found = tokenDistributions(student, reference: student, [(0, 1)])
        let taught = loss(found, 1)
        expectClose([taught.scalar], [1.5 * log(2)])
        taught.backward()
        expectClose(student.gradient?.doubles ?? [], [0, 0, 0])
    }

    /// The reference masks positions by the labels of their own tokens instead of those that they predict: asked for just these
    /// positions, the equation is the same.
    @Test("equals OpenRLHF's loss at the positions that it takes", .needsSharedFixtures)
    func reference() throws {
        try Fixture("kd_loss").run { recorded in
            let labels = try recorded.integerRows("label").flatMap { $0 }
            let positions = labels.indices.filter { labels[$0] != -100 }.map { (row: $0, target: 0) }
            let found = tokenDistributions(
                try recorded.input("logits"),
                reference: try recorded.input("teacher"),
                positions
            )
            let taught = loss(found, 1)
            try recorded.expect(taught, equals: "loss")
            try recorded.expectGradients(of: taught)
        }
    }
}
