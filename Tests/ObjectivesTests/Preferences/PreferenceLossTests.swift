import Foundation
import Objectives
import Testing
import Torch

@Suite("Preference losses")
struct PreferenceLossTests {
    private let losses: [any PreferenceLoss] = [
        DirectPreference(beta: 0.3, labelSmoothing: 0.2), IdentityPreference(beta: 0.3),
        LengthRegularizedPreference(beta: 0.3, lengthPenalty: 0.01), SimplePreference(beta: 2, gamma: 0.5),
    ]

    /// z = (−20 + 21) − (−22.5 + 21.5) = 2 and −1.5.
    private let worked = pairs(
        chosen: [-20, -35],
        rejected: [-22.5, -30],
        referenceChosen: [-21, -34],
        referenceRejected: [-21.5, -30.5]
    )

    @Test("DPO and conservative DPO by hand")
    func direct() {
        let outcome = DirectPreference(beta: 0.1).evaluate(worked)
        expectClose(outcome.losses.doubles, [log1p(exp(-0.2)), log1p(exp(0.15))])
        expectClose(outcome.chosenRewards.doubles, [0.1, -0.1])
        expectClose(outcome.rejectedRewards.doubles, [-0.1, 0.05])
        let smoothed = DirectPreference(beta: 0.1, labelSmoothing: 0.25).evaluate(worked).losses
        expectClose(smoothed.doubles, [0.2, -0.15].map { 0.75 * log1p(exp(-$0)) + 0.25 * log1p(exp($0)) })
    }

    @Test("DPO at policy = reference is log 2 for any β and smoothing")
    func directAtReference() {
        let same = pairs(
            chosen: [-3, -8],
            rejected: [-5, -1],
            referenceChosen: [-3, -8],
            referenceRejected: [-5, -1]
        )
        for loss in [DirectPreference(beta: 0.1), DirectPreference(beta: 7, labelSmoothing: 0.4)] {
            expectClose(loss.evaluate(same).losses.doubles, [log(2), log(2)])
        }
    }

    @Test("only differences count: shifting policy and reference alike changes neither loss nor rewards")
    func shift() {
        var shifted = worked
        shifted.chosen = shifted.chosen - 100
        shifted.referenceChosen = shifted.referenceChosen.map { $0 - 100 }
        for loss in losses where loss.referenceNeed == .logProbabilities {
            expectClose(loss.evaluate(shifted).losses.doubles, loss.evaluate(worked).losses.doubles)
        }
    }

    @Test("IPO by hand, and its minimum 0 at z = 1/(2β)")
    func identity() {
        expectClose(IdentityPreference(beta: 0.1).evaluate(worked).losses.doubles, [9, 42.25])
        let optimum = pairs(chosen: [-1], rejected: [-6], referenceChosen: [-2], referenceRejected: [-2])
        optimum.chosen.requiresGradient = true
        let losses = IdentityPreference(beta: 0.1).evaluate(optimum).losses
        #expect(losses.doubles == [0])
        losses.sum().backward()
        #expect(optimum.chosen.gradient?.doubles == [0])
    }

    @Test("averaged IPO is IPO on log-ratios a token")
    func averagedIdentity() {
        let long = pairs(
            chosen: [-10],
            rejected: [-9],
            referenceChosen: [-12],
            referenceRejected: [-3],
            lengths: [(4, 3)]
        )
        let short = pairs(chosen: [-2.5], rejected: [-3], referenceChosen: [-3], referenceRejected: [-1])
        let averaged = IdentityPreference(beta: 0.5, averaged: true).evaluate(long)
        expectClose(averaged.losses.doubles, [(0.5 + 2 - 1) * (0.5 + 2 - 1)])
        expectClose(averaged.losses.doubles, IdentityPreference(beta: 0.5).evaluate(short).losses.doubles)
    }

    @Test("R-DPO is DPO at equal lengths, and a longer chosen response has a smaller gradient")
    func lengthRegularized() {
        let loss = LengthRegularizedPreference(beta: 0.1, lengthPenalty: 0.05)
        expectClose(loss.evaluate(worked).losses.doubles, DirectPreference(beta: 0.1).evaluate(worked).losses.doubles)
        func gradient(_ lengths: (Int, Int)) -> Double {
            let pair = pairs(
                chosen: [-4],
                rejected: [-4],
                referenceChosen: [-4],
                referenceRejected: [-4],
                lengths: [lengths]
            )
            pair.chosen.requiresGradient = true
            loss.evaluate(pair).losses.sum().backward()
            return pair.chosen.gradient?.scalar ?? .nan
        }
        // −β·σ(−α·surplus)
        expectClose([gradient((30, 10))], [-0.1 / (1 + exp(1))])
        #expect(abs(gradient((30, 10))) < abs(gradient((10, 10))))
    }

    @Test("SimPO by hand, and it does not change when both responses are repeated")
    func simple() {
        let loss = SimplePreference(beta: 2, gamma: 0.5)
        let once = pairs(chosen: [-3], rejected: [-8], lengths: [(3, 4)])
        let twice = pairs(chosen: [-6], rejected: [-16], lengths: [(6, 8)])
        let outcome = loss.evaluate(once)
        expectClose(outcome.losses.doubles, [log1p(exp(-1.5))])
        expectClose(outcome.chosenRewards.doubles + outcome.rejectedRewards.doubles, [-2, -4])
        expectClose(loss.evaluate(twice).losses.doubles, outcome.losses.doubles)
        let hinge = SimplePreference(beta: 2, gamma: 1.25, link: .hinge)
        expectClose(hinge.evaluate(once).losses.doubles, [0.25])
        #expect(loss.referenceNeed == .none)
    }
}

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
