import Foundation
import Testing

@testable import Evaluation

/// Fits whose optimum is known in closed form, or by an identity.
@Suite struct RegressionTests {
    @Test("one feature: C·n·(y − σ(w)) = 1 at the optimum of an L1 fit")
    func lasso() {
        let rows = 50
        let problem = SparseLogisticRegression(
            features: [SIMD3<Double>](repeating: SIMD3(0, 0, 1), count: rows),
            labels: [Double](repeating: 0.8, count: rows),
            weights: [Double](repeating: 1, count: rows)
        )
        let fit = problem.fit(strength: 2)
        let p = 0.8 - 1 / (2 * Double(rows))
        #expect(abs(fit.coefficients.z - log(p / (1 - p))) < 1e-10)
        #expect(fit.coefficients.x == 0 && fit.coefficients.y == 0 && fit.gradientNorm < 1e-10)
    }

    @Test("where the penalty outweighs the data every coefficient is 0")
    func penalised() {
        let problem = SparseLogisticRegression(features: [SIMD3(1, 2, 1)], labels: [1], weights: [1])
        #expect(problem.fit(strength: 0.1).coefficients == .zero)
    }

    @Test("correlated features: no step in any direction lowers the objective")
    func optimal() {
        var random = MersenneTwister(seed: 7)
        let features = (0..<200).map { _ -> SIMD3<Double> in
            let x = random.uniform() - 0.5
            return SIMD3(x, x + 0.2 * random.uniform(), 1)
        }
        let problem = SparseLogisticRegression(
            features: features,
            labels: features.map { sigmoid(3 * $0.x - $0.y + 0.3) },
            weights: features.map { _ in random.uniform() }
        )
        func objective(_ w: SIMD3<Double>) -> Double {
            let loss = features.indices.reduce(0.0) { sum, row in
                let score = (w * features[row]).sum()
                return sum + problem.weights[row] * (softplus(score) - problem.labels[row] * score)
            }
            return abs(w.x) + abs(w.y) + abs(w.z) + 20 * loss
        }
        let fit = problem.fit(strength: 20)
        #expect(fit.gradientNorm < 1e-9)
        for direction in [SIMD3(1e-3, 0, 0), SIMD3(0, 1e-3, 0), SIMD3(0, 0, 1e-3), SIMD3(1e-3, -1e-3, 0)] {
            #expect(objective(fit.coefficients + direction) > objective(fit.coefficients))
            #expect(objective(fit.coefficients - direction) > objective(fit.coefficients))
        }
    }

    @Test("without style the strengths are the logits of the win rates")
    func closedForm() {
        let regression = PairwiseRegression(
            model: [0, 0, 0, 0, 1, 1],
            labels: [1, 1, 1, 0, 0.5, 0],
            features: [],
            models: 2,
            styles: 0
        )
        let fit = regression.fit(weights: [1, 1, 1, 1, 1, 1])
        #expect(abs(sigmoid(fit.strengths[0]) - 0.75) < 1e-9 && abs(sigmoid(fit.strengths[1]) - 0.25) < 1e-9)
        let weighted = regression.fit(weights: [1, 1, 1, 3, 1, 1])
        #expect(abs(sigmoid(weighted.strengths[0]) - 0.5) < 1e-9)
    }

    @Test("a feature that never differs, and a model without rows, are left at 0")
    func flat() {
        let regression = PairwiseRegression(
            model: [0, 0, 0],
            labels: [1, 1, 0],
            features: [0, 0, 0],
            models: 2,
            styles: 1
        )
        let fit = regression.fit(weights: [1, 1, 1])
        #expect(fit.styles == [0] && fit.strengths[1] == 0 && abs(sigmoid(fit.strengths[0]) - 2.0 / 3) < 1e-9)
    }

    @Test("fold tables of the wrong size, and difficulties that do not reach, are refused")
    func refusals() throws {
        let gamed = GamedRows(labels: [0.4], lengths: [0.1], difficulties: [0.2])
        let difficulty = [0.1, 0.2, 0.3]
        let rows = try LengthControl.Rows(
            preferences: [2, nil, 1],
            baselineLengths: [5, 9, 1],
            modelLengths: [1, 2, 3],
            difficulty: difficulty
        )
        #expect(throws: EvaluationError.self) { try LengthControl(rows, gamed: gamed, folds: FoldTable([0, 1])) }
        #expect(throws: EvaluationError.self) { try LengthControl(rows, gamed: gamed, folds: FoldTable([0, 0, 0])) }
        // The row without a preference is predicted all the same.
        #expect(try LengthControl(rows, gamed: gamed, regularization: 1).predictions.count == 3)
        for lengths in [[1, 2, 3, 4], [1, 2, 3]] {
            #expect(throws: EvaluationError.self) {
                try LengthControl.Rows(
                    preferences: lengths.map { _ in 1 },
                    baselineLengths: lengths,
                    modelLengths: lengths,
                    difficulty: difficulty
                )
            }
        }
    }

    @Test("equal lengths leave the win rate as it is; a model that wins by length alone comes out even")
    func controlled() throws {
        let even = try ControlledWinRate(
            preferences: [2, 1, 2, nil],
            baselineLengths: [4, 4, 4, 4],
            modelLengths: [3, 3, 3, 3],
            seed: 1,
            bootstraps: 20
        )
        #expect(even.controlled == nil && abs(even.raw.winRate - 200.0 / 3) < 1e-9)
        // Longer by 100 wins with 0.9, shorter by 100 with 0.1; it is longer three times of four.
        let long = try ControlledWinRate(
            preferences: [1.9, 1.9, 1.9, 1.1],
            baselineLengths: [100, 100, 100, 200],
            modelLengths: [200, 200, 200, 100],
            seed: 1,
            bootstraps: 20
        )
        #expect(abs(long.raw.winRate - 70) < 1e-9 && abs((long.controlled ?? 0) - 50) < 1e-6)
        #expect((long.gradientNorm ?? 1) < 1e-8)
    }
}
