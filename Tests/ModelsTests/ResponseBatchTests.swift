import Testing
import Torch

@testable import Models

@Suite("Responses in a flat batch")
struct ResponseBatchTests {
    @Test("a shared prompt is laid out once, and predicts the first token of each response")
    func layout() {
        let rows = ResponseBatch([
            .init(prompt: [1, 2], response: [3, 4]), .init(prompt: [1, 2], response: [5]),
            .init(prompt: [6], response: []), .init(prompt: [], response: [7, 8]), .init(prompt: [], response: [9]),
        ])
        #expect(rows.batch.tokens == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(rows.batch.positions == [0, 1, 2, 3, 2, 0, 0, 1, 0])
        #expect(rows.targets == [3, 4, 5, 8])
        #expect(rows.predictors == [1, 2, 1, 6])
        #expect(rows.lengths == [2, 1, 0, 1, 0])
        #expect(rows.lastTokens == [3, 4, 5, 7, 8])
        let parents = rows.batch.segments.map(\.parent)
        #expect(parents == [nil, 0, 0, nil, nil, 4, nil])
    }

    @Test("tokens that are not scored are read like the others, but are no targets")
    func marks() {
        let rows = ResponseBatch([
            .init(prompt: [1], response: [2, 3, 4], isScored: [true, false, true]),
            .init(prompt: [], response: [5, 6, 7], isScored: [true, false, true]),
        ])
        #expect(rows.batch.tokens == [1, 2, 3, 4, 5, 6, 7])
        #expect(rows.targets == [2, 4, 7])
        #expect(rows.predictors == [0, 2, 5])
        #expect(rows.lengths == [2, 1])
    }

    @Test("sharing changes no number")
    func sharing() throws {
        let model = try TinyModel.make()
        let rows: [ResponseBatch.Row] = [
            .init(prompt: [1, 2, 9], response: [3, 4]), .init(prompt: [1, 2, 9], response: [5]),
            .init(prompt: [], response: [7, 8, 3]), .init(prompt: [6], response: [9, 1, 2, 3]),
        ]
        withoutGradients {
            let together = model.logProbabilities(ResponseBatch(rows)).doubles
            let alone = rows.flatMap { model.logProbabilities(ResponseBatch([$0])).doubles }
            #expect(zip(together, alone).allSatisfy { abs($0 - $1) < 1e-5 } && together.count == alone.count)
            let sequences = model.sequenceLogProbabilities(rows.map { $0.prompt + $0.response })
            #expect(sequences.map(\.count) == [4, 3, 2, 4])
            #expect(abs(Double(sequences[1][2]) - alone[2]) < 1e-5)
        }
    }

    @Test("the entropy is -Σ p·log p, and log-probabilities follow the temperature", arguments: [1.0, 0.5])
    func entropy(temperature: Double) throws {
        let model = try TinyModel.make()
        let rows = ResponseBatch([.init(prompt: [1, 2], response: [3, 4, 5])])
        let (found, entropies) = model.logProbabilitiesAndEntropies(rows, temperature: temperature)
        let all = withoutGradients { (model.logits(rows.batch).rows(rows.predictors) / temperature).logSoftmax() }
        let expected = -(all.exp() * all).sum(-1)
        #expect(excess(entropies, expected, absolute: 1e-5, relative: 0) <= 0)
        let chosen = all.gathered(1, Tensor(rows.targets).unsqueezed(1)).squeezed(1)
        #expect(excess(found, chosen, absolute: 1e-5, relative: 0) <= 0)
    }

    private func row(_ prompt: Int, _ response: Int, id: Int = 1) -> ResponseBatch.Row {
        .init(prompt: Array(repeating: id, count: prompt), response: Array(repeating: 2, count: response))
    }

    @Test("micro-batches hold what the budget allows, at least one row, in order")
    func budgets() {
        let rows = [row(4, 2), row(4, 3), row(4, 1), row(2, 9, id: 3), row(2, 1, id: 3)]
        func cut(_ budget: Int, together: Int = 1) -> [Range<Int>] {
            ResponseBatch.microBatches(rows, tokenBudget: budget, together: together)
        }
        #expect(cut(.max) == [0..<5])
        #expect(cut(1) == [0..<1, 1..<2, 2..<3, 3..<4, 4..<5])
        // 4 + 2 + 3 + 1 tokens, since the prompt is shared; then 2 + 9 + 1.
        #expect(cut(10) == [0..<3, 3..<4, 4..<5])
        #expect(cut(12) == [0..<3, 3..<5])
        #expect(cut(9) == [0..<2, 2..<3, 3..<4, 4..<5])
        #expect(cut(9, together: 2) == [0..<2, 2..<4, 4..<5])
        #expect(ResponseBatch.microBatches([], tokenBudget: 8).isEmpty)
    }

    @Test("no micro-batch of several rows passes the budget", arguments: [7, 12, 20, 33])
    func budgetHolds(budget: Int) {
        let rows = (0..<40).map { row(1 + $0 / 3 % 4, 1 + $0 * 7 % 6, id: $0 / 3) }
        let ranges = ResponseBatch.microBatches(rows, tokenBudget: budget)
        #expect(ranges.flatMap(Array.init) == Array(0..<40))
        for range in ranges where range.count > 1 {
            #expect(ResponseBatch(Array(rows[range])).batch.tokens.count <= budget)
        }
    }
}
