import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("Metrics of runs")
struct RunMetricsTests {
    private func read(_ text: String) throws -> RunMetrics {
        let directory = try TemporaryDirectory()
        return try RunMetrics(file: URL(filePath: directory.write("metrics.jsonl", text)))
    }

    @Test("a line is a step; a metric stands where it was measured, and what is null is no number") func lines() throws
    {
        let metrics = try read(
            #"{"step":1,"loss":0.5}"# + "\n\n" + #"{"step":2,"loss":null,"eval_loss":2}"# + "\n"
                + #"{"step":3,"loss":NaN}"#
        )
        #expect(metrics.series.map(\.name) == ["loss", "eval_loss"] && metrics.lastStep == 3 && metrics.stepCount == 3)
        #expect(metrics["loss"]?.values[0] == 0.5 && metrics["loss"]?.values.count { $0.isNaN } == 2)
        #expect(metrics["eval_loss"]?.steps == [2] && metrics["eval_loss"]?.values == [2])
        #expect(!metrics.endsInsideLine && metrics.repeatedCount == 0 && metrics["x"] == nil)
    }

    @Test("steps that were made again replace those of the earlier attempt, and all behind them") func repeated() throws
    {
        func line(_ step: Int, _ loss: Double) -> String { "{\"step\":\(step),\"loss\":\(loss),\"a\(step)\":1}\n" }
        let metrics = try read(line(1, 1) + line(2, 2) + line(3, 3) + line(4, 4) + line(2, 20) + line(3, 30))
        #expect(metrics["loss"]?.steps == [1, 2, 3] && metrics["loss"]?.values == [1, 20, 30])
        #expect(metrics["a4"]?.steps == [] && metrics["a2"]?.steps == [2])
        #expect(metrics.repeatedCount == 3 && metrics.lastStep == 3 && metrics.stepCount == 3)
    }

    @Test("a last line that is cut is left out, as a run that is killed or is writing leaves it") func cut() throws {
        let metrics = try read(#"{"step":1,"loss":1}"# + "\n" + #"{"step":2,"lo"#)
        #expect(metrics.stepCount == 1 && metrics.endsInsideLine)
    }

    @Test(
        "another line that is none of the program's is named",
        arguments: [
            ("{\"step\":1,", ":1: column 11: the text ends too early"), ("[1]", ":1: a step must be a JSON object"),
            ("{\"loss\":1}", Self.badStep), ("{\"step\":-1}", Self.badStep), ("{\"step\":1.5}", Self.badStep),
            ("{\"step\":9007199254740992}", Self.badStep), ("{\"step\":9223372036854775807}", Self.badStep),
            ("{\"step\":1}\n{\"step\":2,\"loss\":\"x\"}", ":2: \"loss\" must be a number or null, found a string"),
            ("{\"step\":1}\n\u{0}\u{0}", ":2: column 1: expected a value"),
        ]
    )
    func broken(text: String, sentence: String) throws {
        let error = #expect(throws: ReportingError.self) { try read(text + "\n") }
        #expect(error?.description.hasSuffix("/metrics.jsonl" + sentence) == true, "\(error?.description ?? "")")
    }

    private static let badStep = ":1: \"step\" must be a whole number of at least 0 and less than 2^53"

    @Test("what is there and cannot be read is not taken for what is not there yet") func unreadable() throws {
        let directory = try TemporaryDirectory()
        func sentence(_ name: String) -> String? {
            let error = #expect(throws: ReportingError.self) {
                try RunMetrics(file: directory.url.appending(path: name))
            }
            return error.map { String($0.description.dropFirst(directory.url.path.count)) }
        }
        try #require(mkfifo(directory.url.appending(path: "pipe").path, 0o600) == 0)
        let loop = directory.url.appending(path: "loop")
        try FileManager.default.createSymbolicLink(at: loop, withDestinationURL: loop)
        try directory.write("file", "")
        #expect(sentence("pipe") == "/pipe: is not a regular file" && sentence("") == ": is not a regular file")
        #expect(sentence("loop") == "/loop: cannot be opened: Too many levels of symbolic links")
        #expect(sentence("file/metrics.jsonl") == "/file/metrics.jsonl: cannot be opened: Not a directory")
    }

    @Test("no file and no step are said to be no metrics yet", arguments: ["", "\n\n", "{\"st"]) func empty(
        text: String
    ) throws {
        let error = #expect(throws: ReportingError.self) { try read(text) }
        #expect(error?.description.hasSuffix("there are no metrics yet; the first optimizer step writes them") == true)
        let missing = #expect(throws: ReportingError.self) { try RunMetrics(file: URL(filePath: "/no/such/file")) }
        #expect(missing?.description.contains("no metrics yet") == true)
    }
}
