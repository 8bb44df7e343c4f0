import Foundation
import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// The official judgments of two models (v0.1), made-up ones of four (v2.0), and what the original programs say of them.
@Suite(.enabled(if: SharedFixtures.contains("evaluation/arena_hard"), Comment(rawValue: SharedFixtures.reason)))
struct ArenaHardFixtureTests {
    private static func path(_ name: String) -> String { SharedFixtures.url("evaluation/arena_hard/" + name).path }

    private static func expected(_ version: String) throws -> JSON {
        try JSON(parsing: Data(contentsOf: URL(filePath: path(version + "/expected.json"))))
    }

    private static func number(_ json: JSON, _ keys: String...) -> Double {
        keys.reduce(json as JSON?) { $0?[$1] }?.number ?? .nan
    }

    @Test("v0.1: raw and style-controlled scores and intervals of the official judgments")
    func v01() throws {
        let battles = try Battles(path: Self.path("v0.1/battles_official.jsonl"), baseline: "gpt-4-0314")
        let style = try StyleTable(metadata: Self.path("v0.1/style_metadata.json"))
        let score = try ArenaHardScore(battles, style: style)
        let oracle = try #require(try Self.expected("v0.1")["oracle_original_code"])
        #expect(try #require(score.gradientNorm) < 1e-8)
        for (index, model) in score.models.enumerated() {
            let raw = score.raw[index]
            #expect(abs(raw.score - Self.number(oracle, "WR", model)) < 0.0051)
            #expect(abs(raw.lower - Self.number(oracle, "WR_lo", model)) < 0.0051)
            #expect(abs(raw.upper - Self.number(oracle, "WR_hi", model)) < 0.0051)
            let styled = try #require(score.styled)[index]
            #expect(abs(styled.score - Self.number(oracle, "SC", model)) < 0.02)
            #expect(abs(styled.lower - Self.number(oracle, "lo", model)) < 0.02)
            #expect(abs(styled.upper - Self.number(oracle, "hi", model)) < 0.02)
        }
        let coefficients = try #require(oracle["style_coef"]?.array).compactMap(\.number)
        #expect(zip(score.styleCoefficients, coefficients).allSatisfy { abs($0 - $1) < 1e-3 })
    }

    @Test("v0.1: length alone and markdown alone", arguments: [("LCO", "length"), ("MDO", "markdown")])
    func v01Alone(key: String, features: String) throws {
        let battles = try Battles(path: Self.path("v0.1/battles_official.jsonl"), baseline: "gpt-4-0314")
        let style = try StyleTable(metadata: Self.path("v0.1/style_metadata.json"))
        let features = try #require(ArenaHardScore.Features(rawValue: features))
        let score = try ArenaHardScore(battles, style: style, features: features, bootstraps: 1)
        let oracle = try #require(try Self.expected("v0.1")["oracle_original_code"])
        for (index, model) in score.models.enumerated() {
            #expect(abs(try #require(score.styled)[index].score - Self.number(oracle, key, model)) < 0.02)
        }
    }

    @Test("v2.0: raw and style-controlled scores of made-up judgments")
    func v20() throws {
        let judgments = try ArenaHardJudgments(paths: [Self.path("v2.0_synthetic/model_judgment")])
        let battles = try Battles(judgments, baseline: "o3-mini-2025-01-31")
        let style = try StyleTable(answers: [Self.path("v2.0_synthetic/model_answer")])
        let score = try ArenaHardScore(battles, style: style, bootstraps: 10)
        let expected = try Self.expected("v2.0_synthetic")
        #expect(try #require(score.gradientNorm) < 1e-8)
        for (index, model) in score.models.enumerated() {
            #expect(Double(battles.rows.count { $0.model == model }) == Self.number(expected, "rows", model))
            #expect(abs(score.raw[index].exact / 100 - Self.number(expected, "wr_exact", model)) < 1e-12)
            #expect(abs(score.raw[index].score - score.raw[index].exact) < 1)
            let styled = try #require(score.styled)[index]
            #expect(abs(styled.exact - Self.number(expected, "sc_mle", model)) < 1e-3)
            #expect(abs(styled.exact - Self.number(expected, "sc_lbfgs", model)) < 0.5)
        }
        let coefficients = try #require(expected["sc_mle_style"]?.array).compactMap(\.number)
        #expect(zip(score.styleCoefficients, coefficients).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("the markdown of 500 answers is counted as the original counts it")
    func markdown() throws {
        let metadata = try JSON(parsing: Data(contentsOf: URL(filePath: Self.path("v0.1/style_metadata.json"))))
        var wrong: [String] = []
        for (index, row) in try RowFile.read(Self.path("v0.1/model_answer/gpt-4-0613.jsonl")).enumerated() {
            let answer = try ArenaHardAnswer(row, at: "row \(index)")
            if try answer.style(tokens: nil) != StyleCounts(metadata[answer.model]?[answer.question]) {
                wrong.append(answer.question)
            }
        }
        #expect(wrong.isEmpty)
    }
}
