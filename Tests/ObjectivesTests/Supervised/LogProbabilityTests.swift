import Testing
import Torch

@Suite("Log-probabilities of recorded logits", .needsSharedFixtures)
struct LogProbabilityTests {
    @Test("equal log_softmax and gather", arguments: Precision.allCases)
    func plain(precision: Precision) throws {
        try Fixture("log_probs_from_logits").run(precision, where: { $0.name != "bf16_logits" }) { recorded in
            // A product with the identity cannot carry infinities (0·∞): the lowest power of ten stands for them.
            let flat = try logProbabilities(recorded.input("logits").clamped(-1e30, nil), positions(recorded))
            let weighted = (flat * (try recorded.input("upstream").reshaped([-1]))).sum()
            try recorded.expect(flat, equals: "logp")
            try recorded.expect(weighted, equals: "weighted")
            try recorded.expectGradients(of: weighted)
        }
    }

    @Test("are computed in float32 from bfloat16 logits, where the reference rounds them")
    func bfloat16() throws {
        try Fixture("log_probs_from_logits").run(where: { $0.name == "bf16_logits" }) { recorded in
            let flat = try logProbabilities(recorded.input("logits"), positions(recorded))
            try recorded.expect(flat, equals: "logp_float32_of_bf16_logits")
        }
    }

    @Test("divide logits by the temperature")
    func temperature() throws {
        let fixture = try Fixture("log_probs_from_logits_temperature")
        try fixture.run(where: { $0.number("temperature") != nil }) { recorded in
            let temperature = try #require(recorded.number("temperature"))
            let flat = try logProbabilities(
                recorded.input("logits"),
                positions(recorded),
                temperature: temperature
            )
            try recorded.expect(flat, equals: "logp")
        }
    }

    private func positions(_ recorded: FixtureCase) throws -> [(row: Int, target: Int)] {
        try recorded.integerRows("labels").flatMap { $0 }.enumerated().map { (row: $0.offset, target: $0.element) }
    }
}
