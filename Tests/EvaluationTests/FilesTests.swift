import Foundation
import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// Files as the original programs write them, and what is wrong with others.
@Suite struct FilesTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("line separators inside texts end no line, and arrays are read as well")
    func separators() throws {
        let lines = try directory.write("a.jsonl", "{\"a\": \"x\u{2028}y\u{2029}\u{85}z\"}\r\n\n{\"a\": \"w\"}")
        #expect(try RowFile.read(lines).map { $0["a"]?.string } == ["x\u{2028}y\u{2029}\u{85}z", "w"])
        let array = try directory.write("a.json", " \n[{\"a\": NaN}, {}]")
        #expect(try RowFile.read(array).count == 2)
    }

    @Test(
        "bad files are named with row and reason",
        arguments: [
            ("[{\"instruction\": 1}]", "row 1: \"instruction\" must be a string, found an integer"),
            ("[{\"instruction\": \"i\"}]", "row 1: there is no \"output_2\""), ("[3]", "row 1: expected an object"),
            ("{\"a\": 1}\n{", "line 2, column 2"), ("[", "line 1, column 2"), ("", "there are no annotations"),
            (
                #"[{"instruction": "i", "output_2": "o", "preference": "good"}]"#,
                "row 1: \"preference\" must be a number or null, found a string"
            ),
        ]
    )
    func badAnnotations(text: String, reason: String) throws {
        let path = try directory.write("bad.json", text)
        let error = #expect(throws: EvaluationError.self) { try Annotations(path: path) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    private func annotations(_ rows: String) throws -> Annotations {
        try Annotations(path: directory.write("annotations.json", rows))
    }

    @Test("baselines are joined by the bytes of the instruction; missing and ambiguous ones are refused")
    func baselines() throws {
        // The two instructions look alike and differ in their code points.
        let reference = try directory.write(
            "reference.json",
            "[{\"instruction\": \"\u{E9}\", \"output\": \"one\"}, {\"instruction\": \"e\u{301}\", \"output\": \"two\"}]"
        )
        var joined = try annotations("[{\"instruction\": \"e\u{301}\", \"output_2\": \"o\", \"preference\": null}]")
        try joined.addBaseline(ModelOutputs(path: reference))
        #expect(joined.rows.map(\.baselineOutput) == ["two"])
        var missing = try annotations(#"[{"instruction": "x", "output_2": "o", "preference": 1}]"#)
        #expect(throws: EvaluationError.self) { try missing.addBaseline(ModelOutputs(path: reference)) }
        let twice = try directory.write(
            "twice.json",
            #"[{"instruction": "x", "output": "1"}, {"instruction": "x", "output": "2"}]"#
        )
        #expect(throws: EvaluationError.self) { try missing.addBaseline(ModelOutputs(path: twice)) }
    }

    @Test("a preference out of range costs the length control, with its row")
    func range() throws {
        let rows = try annotations(#"[{"instruction": "x", "output_1": "a", "output_2": "bb", "preference": -1}]"#)
        let error = #expect(throws: EvaluationError.self) { try rows.lengthControlRows(difficulty: [0]) }
        #expect(error?.description.contains("row 1: the preference -1.0") == true)
    }

    @Test(
        "pairs are an inner join in the baseline's order, every combination of repeated instructions, equal pairs once"
    )
    func pairs() {
        func outputs(_ rows: [(String, String)]) -> ModelOutputs {
            ModelOutputs(rows.map { .init(instruction: $0, output: $1, generator: nil, dataset: nil) }, source: "")
        }
        let pairs = ModelOutputs.pairs(
            baseline: outputs([("b", "1"), ("a", "2"), ("a", "3"), ("only", "4"), ("b", "1")]),
            model: outputs([("a", "x"), ("a", "y"), ("b", "z")])
        )
        #expect(pairs.map { $0.baseline.output + $0.model.output } == ["1z", "2x", "2y", "3x", "3y"])
    }

    @Test("tables of difficulty and gamed rows, quoted fields included")
    func tables() throws {
        let gamed = try directory.write(
            "gamed.csv",
            "preference,index,std_delta_len,instruction_difficulty,model\r\n0.5,0,1,0.25,\"a, \"\"b\"\"\"\n,1,0,0.5,c\n0.75,1,0,0.5,c\n"
        )
        let data = try LengthControlData(gamedPath: gamed, difficultyPath: nil)
        #expect(data.difficulty == [0.25, 0.5] && data.gamed.labels == [0.5, 0.75])
        #expect(data.gamed.features[1] == SIMD3(0, 0.5, 0))
        let gap = try directory.write("gap.csv", ",instruction_difficulty\n0,1\n2,1\n")
        #expect(throws: EvaluationError.self) { try LengthControlData(gamedPath: gamed, difficultyPath: gap) }
        let word = try directory.write("word.csv", "index,instruction_difficulty\n0,hard\n")
        let error = #expect(throws: EvaluationError.self) {
            try LengthControlData(gamedPath: gamed, difficultyPath: word)
        }
        #expect(
            error?.description.hasSuffix("row 2: \"instruction_difficulty\" must be a number, found 'hard'") == true
        )
    }

    @Test("the hub's cache is looked into as the original fills it")
    func hubCache() throws {
        let snapshot = directory.url.appending(path: "hub/datasets--tatsu-lab--alpaca_eval/snapshots/abc")
        try FileManager.default.createDirectory(at: snapshot, withIntermediateDirectories: true)
        #expect(LengthControlData.cached(["HF_HOME": directory.url.path]) == nil)
        try Data().write(to: snapshot.appending(path: "df_gamed.csv"))
        let found = LengthControlData.cached(["HF_HOME": directory.url.path])
        #expect(found?.gamed == snapshot.path + "/df_gamed.csv" && found?.difficulty == nil)
    }

    @Test("the report is one file without scripts, in which texts are no markup")
    func report() throws {
        let rows = try annotations(
            #"[{"instruction": "<script>&", "output_1": "a", "output_2": "bb", "preference": 1.75}, {"instruction": "i", "output_1": "a", "output_2": "b", "preference": null}]"#
        )
        let html = rows.report(title: "t", caveats: ["c"], table: [["model"], ["<m>"]]).html
        #expect(!html.contains("<script") && html.contains("&lt;script&gt;&amp;") && html.contains("&lt;m&gt;"))
        #expect(!html.contains("://") && html.contains("<svg") && html.contains("1 won, 0 lost, 1 neither"))
    }
}
