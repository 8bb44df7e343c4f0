import Objectives
import Testing
import Torch

@Suite("Recorded preference losses", .needsSharedFixtures)
struct RecordedPreferenceLossTests {
    @Test("DPO, conservative DPO and IPO equal the reference's", arguments: Precision.allCases)
    func direct(precision: Precision) throws {
        try Fixture("dpo_loss").run(precision) { recorded in
            let beta = recorded.number("beta") ?? 0.1
            let loss: any PreferenceLoss =
                recorded.flag("ipo") == true
                ? IdentityPreference(beta: beta)
                : DirectPreference(beta: beta, labelSmoothing: recorded.number("label_smoothing") ?? 0)
            try recorded.expect(loss.evaluate(recorded.pairs()))
        }
    }

    @Test("R-DPO equals its formula", arguments: Precision.allCases)
    func lengthRegularized(precision: Precision) throws {
        try Fixture("rdpo_loss").run(precision) { recorded in
            let loss = LengthRegularizedPreference(
                beta: recorded.number("beta") ?? 0.1,
                lengthPenalty: recorded.number("alpha") ?? 0.001
            )
            try recorded.expect(loss.evaluate(recorded.pairs()))
        }
    }

    @Test("SimPO equals its authors' on average log-probabilities", arguments: Precision.allCases)
    func simple(precision: Precision) throws {
        try Fixture("simpo_loss").run(precision, where: { $0.json["inputs"]?["pw"] != nil }) { recorded in
            let outcome = try simple(recorded).evaluate(recorded.pairs())
            try recorded.expect(outcome.losses, equals: "losses")
            try recorded.expect(outcome)
        }
    }

    @Test("sums and means of labelled log-probabilities equal SimPO's authors'", arguments: Precision.allCases)
    func simpleLogProbabilities(precision: Precision) throws {
        try Fixture("simpo_loss").run(precision, where: { $0.name.hasPrefix("batch_logps") }) { recorded in
            let (flat, rows) = try labelled(recorded)
            let perRow = recorded.flag("average") == true ? rows.means(flat) : rows.sums(flat)
            let weighted = try (perRow * recorded.input("upstream")).sum()
            try recorded.expect(perRow, equals: "logps")
            try recorded.expect(weighted, equals: "weighted")
            try recorded.expectGradients(of: weighted)
        }
    }

    @Test("SimPO equals its authors' from logits on", arguments: Precision.allCases)
    func simpleFromLogits(precision: Precision) throws {
        try Fixture("simpo_loss").run(precision, where: { $0.name == "from_logits" }) { recorded in
            let (flat, rows) = try labelled(recorded)
            let (sums, half) = (rows.sums(flat), rows.rowCount / 2)
            let pairs = PreferenceLogProbabilities(
                chosen: sums.narrowed(0, 0..<half),
                rejected: sums.narrowed(0, half..<rows.rowCount),
                chosenLengths: Array(rows.lengths[..<half]),
                rejectedLengths: Array(rows.lengths[half...])
            )
            let outcome = simple(recorded).evaluate(pairs)
            try recorded.expect(outcome.losses, equals: "losses")
            try recorded.expect(outcome)
        }
    }

    @Test("the worked example's DPO, conservative DPO and IPO")
    func workedExample() throws {
        try Fixture("plan_golden").run(.float64, where: { $0.name == "preference_losses" }) { recorded in
            let pairs = try recorded.pairs()
            let losses: [(String, any PreferenceLoss)] = [
                ("dpo", DirectPreference(beta: 0.1)), ("cdpo", DirectPreference(beta: 0.1, labelSmoothing: 0.1)),
                ("ipo", IdentityPreference(beta: 0.1)),
            ]
            for (key, loss) in losses { try recorded.expect(loss.evaluate(pairs).losses.mean(), equals: key) }
        }
    }

    private func simple(_ recorded: FixtureCase) -> SimplePreference {
        let beta = recorded.number("beta") ?? 2.5
        return SimplePreference(
            beta: beta,
            gamma: beta * (recorded.number("gamma_beta_ratio") ?? 0.2),
            link: recorded.text("loss_type") == "hinge"
                ? .hinge : .logistic(labelSmoothing: recorded.number("label_smoothing") ?? 0)
        )
    }

    private func labelled(_ recorded: FixtureCase) throws -> (Tensor, RaggedRows) {
        let labels = try recorded.integerRows("labels")
        let flat = logProbabilities(try recorded.input("logits"), labelledPositions(labels))
        return (flat, RaggedRows(lengths: labels.map { $0.dropFirst().count { $0 != -100 } }))
    }
}
