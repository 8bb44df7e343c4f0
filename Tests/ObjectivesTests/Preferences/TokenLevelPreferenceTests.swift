import Foundation
import Objectives
import Testing
import Torch

@Suite("Preferences with divergences of tokens")
struct TokenLevelPreferenceTests {
    private func pairs(_ chosen: Double, _ rejected: Double, divergences: (Double, Double))
        -> PreferenceLogProbabilities
    {
        PreferenceLogProbabilities(
            chosen: Tensor([chosen]),
            rejected: Tensor([rejected]),
            referenceChosen: Tensor([-10.0]),
            referenceRejected: Tensor([-12.0]),
            divergences: (Tensor([divergences.0]), Tensor([divergences.1])),
            chosenLengths: [3],
            rejectedLengths: [4]
        )
    }

    @Test("TDPO₁ and TDPO₂ by hand")
    func byHand() {
        // z = (−9 + 10) − (−14 + 12) = 3
        let pair = pairs(-9, -14, divergences: (0.5, 2))
        let first = TokenLevelPreference(beta: 0.2, form: .first).evaluate(pair)
        expectClose(first.losses.doubles, [log1p(exp(-0.2 * 1.5))])
        expectClose(first.chosenRewards.doubles + first.rejectedRewards.doubles, [0.3, 0])
        let second = TokenLevelPreference(beta: 0.2, form: .second(alpha: 0.4)).evaluate(pair)
        expectClose(second.losses.doubles, [log1p(exp(-0.2 * 2.4))])
        #expect(first.losses.count == 1 && TokenLevelPreference(beta: 1, form: .first).referenceNeed == .distributions)
    }

    @Test("the chosen divergence pulls in TDPO₁ and not in TDPO₂")
    func gradients() {
        func gradients(_ form: TokenLevelPreference.Form) -> (chosen: Double?, rejected: Double?) {
            let leaves = (Tensor([0.5]), Tensor([2.0]))
            leaves.0.requiresGradient = true
            leaves.1.requiresGradient = true
            var pair = pairs(-10, -12, divergences: (0, 0))
            pair.divergences = leaves
            TokenLevelPreference(beta: 0.2, form: form).evaluate(pair).losses.sum().backward()
            return (leaves.0.gradient?.scalar, leaves.1.gradient?.scalar)
        }
        // d/dx of −log σ(x) is −σ(−x), at x = −β·(2 − 0.5)·α.
        let first = gradients(.first)
        let slope = 0.2 / (1 + exp(-0.3))
        expectClose([first.chosen ?? .nan, first.rejected ?? .nan], [-slope, slope])
        let second = gradients(.second(alpha: 0.5))
        expectClose([second.rejected ?? .nan], [0.1 / (1 + exp(-0.15))])
        #expect(second.chosen == nil)
    }

    @Test("at policy = reference both are log 2")
    func atReference() {
        for form in [TokenLevelPreference.Form.first, .second(alpha: 0.2)] {
            let outcome = TokenLevelPreference(beta: 0.1, form: form).evaluate(pairs(-10, -12, divergences: (0, 0)))
            expectClose(outcome.losses.doubles, [log(2)])
        }
    }

    @Test("equal the authors' losses on margins and divergences", .needsSharedFixtures, arguments: Precision.allCases)
    func reference(precision: Precision) throws {
        try Fixture("tdpo_loss").run(precision, where: { $0.json["inputs"]?["mw"] != nil }) { recorded in
            let zeros = try recorded.input("mw").zerosLike().detached()
            let pairs = try PreferenceLogProbabilities(
                chosen: recorded.input("mw"),
                rejected: recorded.input("ml"),
                referenceChosen: zeros,
                referenceRejected: zeros,
                divergences: (recorded.input("kw_"), recorded.input("kl_")),
                chosenLengths: zeros.doubles.map { _ in 1 },
                rejectedLengths: zeros.doubles.map { _ in 1 }
            )
            let outcome = loss(recorded).evaluate(pairs)
            try recorded.expect(outcome.losses, equals: "losses")
            try expect(recorded, outcome, untouched: "kw_")
        }
    }

    @Test("divergences of logits equal the authors'", .needsSharedFixtures, arguments: Precision.allCases)
    func divergences(precision: Precision) throws {
        let fixture = try Fixture("tdpo_loss")
        try fixture.run(precision, where: { $0.name.hasPrefix("batch_logps") }) { recorded in
            let (found, rows) = try distributions(recorded)
            let isAveraged = recorded.flag("average") == true
            func perRow(_ flat: Tensor) -> Tensor { isAveraged ? rows.means(flat) : rows.sums(flat) }
            let margins = perRow(found.logProbabilities - found.referenceLogProbabilities)
            let divergences = perRow(found.divergences)
            let weighted = try (margins * recorded.input("u1") + divergences * recorded.input("u2")).sum()
            try recorded.expect(margins, equals: "logps_margin")
            try recorded.expect(divergences, equals: "position_kl")
            try recorded.expect(perRow(found.logProbabilities), equals: "logps")
            try recorded.expect(weighted, equals: "weighted")
            try recorded.expectGradients(of: weighted)
        }
    }

    @Test("equal the authors' from logits on", .needsSharedFixtures, arguments: Precision.allCases)
    func fromLogits(precision: Precision) throws {
        try Fixture("tdpo_loss").run(precision, where: { $0.name.hasPrefix("from_logits") }) { recorded in
            let (found, rows) = try distributions(recorded)
            let half = rows.rowCount / 2
            func halves(_ flat: Tensor) -> (Tensor, Tensor) {
                let sums = rows.sums(flat)
                return (sums.narrowed(0, 0..<half), sums.narrowed(0, half..<rows.rowCount))
            }
            let (policy, reference) = (halves(found.logProbabilities), halves(found.referenceLogProbabilities))
            let pairs = PreferenceLogProbabilities(
                chosen: policy.0,
                rejected: policy.1,
                referenceChosen: reference.0,
                referenceRejected: reference.1,
                divergences: halves(found.divergences),
                chosenLengths: Array(rows.lengths[..<half]),
                rejectedLengths: Array(rows.lengths[half...])
            )
            let outcome = loss(recorded).evaluate(pairs)
            try recorded.expect(outcome.losses, equals: "losses")
            try recorded.expect(outcome)
        }
    }

    /// A case's outputs and gradients; the recorded gradient of an input that the loss does not touch is zero.
    private func expect(_ recorded: FixtureCase, _ outcome: PreferenceOutcome, untouched key: String) throws {
        let leaf = try recorded.input(key)
        // Zero times the leaf, so that it has a gradient to compare.
        let loss = outcome.losses.mean() + (leaf * 0).sum().to(outcome.losses.dtype)
        try recorded.expect(loss, equals: "loss")
        try recorded.expect(outcome.chosenRewards, equals: "chosen_rewards")
        try recorded.expect(outcome.rejectedRewards, equals: "rejected_rewards")
        try recorded.expectGradients(of: loss)
    }

    private func loss(_ recorded: FixtureCase) -> TokenLevelPreference {
        TokenLevelPreference(
            beta: recorded.number("beta") ?? 0.1,
            form: recorded.flag("if_tdpo2") == false ? .first : .second(alpha: recorded.number("alpha") ?? 0.5)
        )
    }

    private func distributions(_ recorded: FixtureCase) throws -> (TokenDistributions, RaggedRows) {
        let labels = try recorded.integerRows("labels")
        let found = tokenDistributions(
            try recorded.input("logits"),
            reference: try recorded.input("ref_logits"),
            labelledPositions(labels)
        )
        return (found, RaggedRows(lengths: labels.map { $0.dropFirst().count { $0 != -100 } }))
    }
}
