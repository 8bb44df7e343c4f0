import Testing
import Torch

@testable import Objectives

@Suite("RaggedRows")
struct RaggedRowsTests {
    private let rows = RaggedRows(lengths: [2, 0, 3])
    private let flat = Tensor([1, 2, 10, 20, 30] as [Float])

    @Test("knows where rows lie")
    func layout() {
        #expect(rows.rowCount == 3)
        #expect(rows.tokenCount == 5)
        #expect(rows.offsets == [0, 2, 2, 5])
        #expect(rows.range(2) == 2..<5)
        #expect(rows.nonEmptyRows == [0, 2])
        #expect(rows.lastTokens == [1, 4])
    }

    @Test("sums, averages and spreads by hand; a row without tokens gives 0")
    func byHand() {
        #expect(rows.sums(flat).floats == [3, 0, 60])
        #expect(rows.means(flat).floats == [1.5, 0, 20])
        #expect(rows.spread(Tensor([7, 8, 9] as [Float])).floats == [7, 7, 9, 9, 9])
        let nothing = RaggedRows(lengths: [])
        #expect(nothing.sums(Tensor([Float]())).floats == [])
        #expect(nothing.spread(Tensor([Float]())).floats == [])
    }

    @Test("gradients: of a sum 1, of a mean 1/length, of spreading the number of tokens; never NaN")
    func gradients() {
        let (first, second, perRow) = (flat.clone(), flat.clone(), Tensor([1, 2, 3] as [Float]))
        for leaf in [first, second, perRow] { leaf.requiresGradient = true }
        rows.sums(first).backward(seed: Tensor([1, 5, 2] as [Float]))
        rows.means(second).backward(seed: Tensor([1, 5, 1] as [Float]))
        rows.spread(perRow).sum().backward()
        #expect(first.gradient?.floats == [1, 1, 2, 2, 2])
        expectClose(second.gradient?.doubles ?? [], [0.5, 0.5, 1 / 3, 1 / 3, 1 / 3])
        #expect(perRow.gradient?.floats == [2, 0, 3])
    }

    @Test("summing is the adjoint of spreading: ⟨sums(x), y⟩ = ⟨x, spread(y)⟩")
    func adjoint() {
        let y = Tensor([0.5, -3, 2] as [Float])
        #expect((rows.sums(flat) * y).sum().scalar == (flat * rows.spread(y)).sum().scalar)
    }

    @Test("keeps float64, and computes in float32 what is narrower")
    func precision() {
        #expect(rows.sums(flat.to(.float64)).dtype == .float64)
        #expect(rows.means(flat.to(.bfloat16)).dtype == .float32)
        // 2¹² + 2⁻¹² · 4096: a running sum in float32 would lose every small term.
        let many = Tensor([4096] + [Float](repeating: 0x1p-12, count: 4096))
        #expect(RaggedRows(lengths: [4097]).sums(many).scalar == 4097)
    }

    @Test("equals the reference's unpacking and masked means", .needsSharedFixtures)
    func packing() throws {
        let fixture = try Fixture("packing_utils")
        try fixture.run(where: { $0.name == "unpacking_samples" }) { recorded in
            let lengths = try #require(recorded.json["inputs"]?["packed_seqlens"]?.array).compactMap(\.integer)
            let values = try recorded.input("values").reshaped([-1])
            let rows = RaggedRows(lengths: lengths)
            for (row, expected) in try #require(recorded.output("rows").array).enumerated() {
                #expect(values.narrowed(0, rows.range(row)).floats == (try recorded.tensor(expected).floats))
            }
        }
        for precision in Precision.allCases {
            try fixture.run(precision, where: { $0.name.hasPrefix("masked_mean") }) { recorded in
                guard recorded.number("dim") != 0 else { return }  // means over rows are no business of ragged rows
                let padded = try recorded.paddedRows(like: "tensor")
                let flat = padded.flat(try recorded.input("tensor"))
                let all = RaggedRows(lengths: [flat.count])
                let means = recorded.number("dim") == nil ? all.means(flat).reshaped([]) : padded.rows.means(flat)
                try recorded.expect(means, equals: "mean")
            }
        }
    }

    @Test(
        "equals the reference's sums and means of response log-probabilities, padded and packed",
        .needsSharedFixtures,
        arguments: Precision.allCases
    )
    func responseLogProbabilities(precision: Precision) throws {
        try Fixture("dpo_batch_logps").run(precision) { recorded in
            let (positions, rows) = try responsePositions(recorded)
            let flat = logProbabilities(try recorded.input("logits"), positions)
            let sums = rows.sums(flat)
            try recorded.expect(sums, equals: "sum")
            try recorded.expect(rows.means(flat), equals: "mean")
            let weighted = (sums * (try recorded.input("upstream"))).sum()
            try recorded.expect(weighted, equals: "weighted")
            try recorded.expectGradients(of: weighted)
        }
    }

    /// Which rows of logits score the tokens of the responses: position i scores token i + 1, and the first none.
    private func responsePositions(_ recorded: FixtureCase) throws -> ([(row: Int, target: Int)], RaggedRows) {
        let ids = try recorded.integerRows("ids")
        let isPacked = recorded.json["params"]?["seq_lens"] != nil
        let lengths =
            try isPacked
            ? recorded.integers("seq_lens") : recorded.integerRows("attention_mask").map { $0.count { $0 != 0 } }
        let starts = lengths.indices.map { isPacked ? lengths[..<$0].reduce(0, +) : $0 * ids[0].count }
        let flatIDs = ids.flatMap { $0 }
        let prompts = try recorded.integers("prompt_lens")
        let responses = lengths.indices.map { row in
            let first = min(max(1, prompts[row]), lengths[row])
            return (first..<lengths[row]).map { (row: starts[row] + $0 - 1, target: flatIDs[starts[row] + $0]) }
        }
        return (responses.flatMap { $0 }, RaggedRows(lengths: responses.map(\.count)))
    }
}
