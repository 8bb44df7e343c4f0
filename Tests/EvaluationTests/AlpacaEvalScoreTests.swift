import Foundation
import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// Published numbers of six models, from their stored annotations.
@Suite(.enabled(if: AlpacaEvalFixture.isPresent, Comment(rawValue: SharedFixtures.reason)))
struct AlpacaEvalScoreTests {
    @Test("win rate, error, counts and length are the published ones", arguments: AlpacaEvalFixture.models)
    func winRates(model: String) throws {
        let fixture = try AlpacaEvalFixture(model)
        let rate = WinRate(fixture.annotations.rows.map(\.preference))
        #expect(abs(rate.winRate - (try fixture.number("published", "win_rate"))) < 1e-9)
        #expect(abs(rate.standardError - (try fixture.number("published", "standard_error"))) < 1e-9)
        #expect(abs(rate.discreteWinRate - (try fixture.number("published", "discrete_win_rate"))) < 1e-9)
        #expect(Double(rate.wins) == (try fixture.number("published", "n_wins")))
        #expect(Double(rate.baselineWins) == (try fixture.number("published", "n_wins_base")))
        #expect(Double(rate.draws) == (try fixture.number("published", "n_draws")))
        #expect(Double(rate.total) == (try fixture.number("published", "n_total")))
        #expect(Double(fixture.outputs.averageLength) == (try fixture.number("published", "avg_length")))
    }

    @Test("the length-controlled win rate at the published strength", arguments: AlpacaEvalFixture.models)
    func lengthControlled(model: String) throws {
        let fixture = try AlpacaEvalFixture(model)
        let data = try AlpacaEvalFixture.lengthControlData()
        let rows = try #require(try fixture.annotations.lengthControlRows(difficulty: data.difficulty))
        let strength = try fixture.number("exact_optimum_at_that_C", "C")
        let fit = try LengthControl(rows, gamed: data.gamed, regularization: strength)
        #expect(fit.gradientNorm < 1e-9)
        #expect(abs(fit.winRate - (try fixture.number("published", "length_controlled_winrate"))) < 0.02)
        #expect(abs(fit.winRate - (try fixture.number("exact_optimum_at_that_C", "length_controlled_winrate"))) < 1e-6)
        #expect(abs(fit.standardError - (try fixture.number("exact_optimum_at_that_C", "lc_standard_error"))) < 1e-6)
    }

    @Test("the strength chosen by cross-validation with a given fold table, and without", arguments: ["claude-2.1"])
    func crossValidated(model: String) throws {
        let fixture = try AlpacaEvalFixture(model)
        let data = try AlpacaEvalFixture.lengthControlData()
        let rows = try #require(try fixture.annotations.lengthControlRows(difficulty: data.difficulty))
        let table = try FoldTable(
            path: AlpacaEvalFixture.path("group_folds_classic_numpy.json"),
            rows: data.gamed,
            rows
        )
        let given = try LengthControl(rows, gamed: data.gamed, folds: table)
        let name = "original_code_with_reconstructed_df_gamed_classic_numpy_folds"
        #expect(abs(log(given.regularization / (try fixture.number(name, "C")))) < 1e-6)
        #expect(abs(given.winRate - (try fixture.number(name, "length_controlled_winrate"))) < 0.02)
        let chosen = try LengthControl(rows, gamed: data.gamed)
        #expect(abs(chosen.winRate - (try fixture.number("published", "length_controlled_winrate"))) < 0.16)
        #expect(chosen.regularization == given.regularization)
    }

    @Test("the order of the two answers, for all 805 instructions")
    func orders() throws {
        let baseline = try ModelOutputs(path: AlpacaEvalFixture.path("results/gpt4_1106_preview/model_outputs.json"))
        let table = try JSON(parsing: Data(contentsOf: URL(filePath: AlpacaEvalFixture.path("is_switched_seed0.json"))))
        #expect(baseline.rows.map { OutputOrder.isSwitched($0.instruction) ? 1 : 0 } == table.array?.map(\.integer))
    }

    @Test("the classic fold table, for every size there is")
    func folds() throws {
        let file = try JSON(
            parsing: Data(contentsOf: URL(filePath: AlpacaEvalFixture.path("group_folds_classic_numpy.json")))
        )
        for (groups, digits) in try #require(file.object).members {
            let expected = try #require(digits.string).compactMap(\.wholeNumberValue)
            #expect(FoldTable.classicNumPy(groups: try #require(Int(groups))).folds == expected)
        }
    }
}
