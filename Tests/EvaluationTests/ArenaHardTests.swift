import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// Arena-Hard's rules on cases small enough to see.
@Suite struct ArenaHardTests {
    @Test(
        "v0.1 wants double brackets that agree",
        arguments: [
            ("fine: [[A>B]]", .label("A>B")), ("[[A>B]] and again [[A>B]]", .label("A>B")),
            ("[[A>B]] or [[B>A]]", .contradiction), ("[A>B]", .none), ("[[a>b]]", .none), ("", .none),
            ("[[[A=B]]]", .label("A=B")),
        ] as [(String, Verdict.Found)]
    )
    func oldVerdicts(text: String, found: Verdict.Found) { #expect(Verdict.find(in: text, .v01) == found) }

    @Test(
        "v2.0 takes the last, in double brackets or else in single ones, in any case of letters",
        arguments: [
            ("[[A>B]] no, [[B>A]]", .label("B>A")), ("[a>>b]", .label("A>>B")), ("[B>A] but [[A=B]]", .label("A=B")),
            ("none [A]", .label("A")), ("[C]", .none),
        ] as [(String, Verdict.Found)]
    )
    func newVerdicts(text: String, found: Verdict.Found) { #expect(Verdict.find(in: text, .v20) == found) }

    private func judgments(_ lines: [String]) throws -> ArenaHardJudgments {
        let directory = try TemporaryDirectory()
        return try ArenaHardJudgments(paths: [directory.write("j.jsonl", lines.joined(separator: "\n"))])
    }

    @Test("a strong verdict counts three times, and the second game is turned round")
    func expansion() throws {
        let row = #"{"uid":"u","model":"m","baseline":"b","games":[{"score":"A>>B"},{"score":"A>B"}]}"#
        let battles = try Battles(judgments([row]), baseline: "b")
        #expect(battles.rows.map(\.outcome) == [1, 0, 0, 0])
        let old = #"{"question_id":"u","model":"m","judge":"j","games":[{"score":"A>>B"},{"score":"A>B"}]}"#
        #expect(try Battles(judgments([old]), baseline: "b").rows.map(\.outcome) == [0, 0, 0, 1])
    }

    @Test("a missing verdict drops the game in v0.1 and the question in v2.0; unknown labels drop or are refused")
    func missing() throws {
        func row(_ key: String, _ scores: [JSON]) -> String {
            let games = JSON.array(scores.map { ["score": $0] }).serialized()
            return #"{"\#(key)":"u","model":"m","baseline":"b","games":\#(games)}"#
        }
        let v01 = try Battles(
            judgments([row("question_id", [nil, "A=B"]), row("question_id", ["A<B", "A>B"])]),
            baseline: "b"
        )
        #expect(
            v01.rows.map(\.outcome) == [0.5, 1] && v01.notes == ["without a verdict, and not counted: 2 of 4 games"]
        )
        let v20 = try Battles(judgments([row("uid", [nil, "A=B"]), row("uid", ["A<B", "B=A"])]), baseline: "b")
        #expect(
            v20.rows.map(\.outcome) == [0.5, 1] && v20.notes == ["without a verdict, and not counted: 1 of 2 questions"]
        )
        #expect(throws: EvaluationError.self) { try Battles(judgments([row("uid", ["A", "A=B"])]), baseline: "b") }
        let own = row("uid", ["A=B", "A=B"]).replacing(#""model":"m""#, with: #""model":"j","judge":"j""#)
        #expect(try Battles(judgments([own, row("uid", ["A=B", "A=B"])]), baseline: "b").models == ["m"])
        #expect(throws: EvaluationError.self) { try Battles(judgments([row("uid", [nil, nil])]), baseline: "b") }
        #expect(throws: EvaluationError.self) { try judgments([row("uid", ["A=B"])]) }
    }

    @Test("markdown with the original's quirks")
    func markdown() {
        func counts(_ text: String) -> StyleCounts { StyleCounts(quirkilyCounting: text, tokens: 0) }
        #expect(counts("# a\n## b\n####### c\n#d\n#").headings == [1, 1, 0, 0, 0, 0])
        #expect(counts("1. a\n  2. b\n\n\n3. c\n4.d").numbered == 3)
        #expect(counts("- a\n* b\n + c\n-d\n\u{A0}- e").bulleted == 4)
        #expect(counts("**a** **b*c** ** ** __d__ __e_f__").starred == 2)
        // What ends one passage may begin the next.
        #expect(counts("__d__ __e_f__ ____").underscored == 2)
        // The mark's own line end counts as its space, and the next mark is then at a line start.
        #expect(counts("-\n-\n-\n").bulleted == 3)
        // The fenced text goes, the fences stay; a fenced "#" goes everywhere.
        #expect(counts("```\n- a\n```").bulleted == 0)
        #expect(counts("# a\n```#```").headings == [0, 0, 0, 0, 0, 0])
    }

    @Test("counts are written as answer files hold them, and read back")
    func countsJSON() {
        let counts = StyleCounts(quirkilyCounting: "# a\n- **b**", tokens: 7)
        #expect(StyleCounts(counts.json) == counts)
        #expect(StyleCounts(["token_len": 3]) == nil)
    }

    @Test("a battle without the baseline is refused")
    func strangers() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("b.jsonl", #"{"question_id":"q","model_a":"x","model_b":"y","winner":"tie"}"#)
        #expect(throws: EvaluationError.self) { try Battles(path: path, baseline: "b") }
        #expect(try Battles(path: path, baseline: "y").rows == [Battle(question: "q", model: "x", outcome: 0.5)])
    }
}
