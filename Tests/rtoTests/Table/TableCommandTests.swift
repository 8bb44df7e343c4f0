import Foundation
import JSONText
import TestSupport
import Testing

@Suite struct TableCommandTests {
    private let words = [
        "bench", "table", "--quick", "--seeds", "1", "--methods", "rto", "--no-curve", "--output",
    ]

    @Test("A miniature runs to its end, and goes on where it was ended") func miniature() throws {
        let place = try TemporaryDirectory()
        let path = place.url.appending(path: "table").path
        let outcome = try rto(words + [path])
        #expect(outcome.status == 0, "\(outcome.complaint.suffix(400))")
        #expect(outcome.output.contains("| RTO |"))
        let results = place.url.appending(path: "table/results.json")
        let whole = try Data(contentsOf: results)
        #expect(try JSON(parsing: Array(whole))["policies"]?["rto"]?["gold_reward"]?["mean"]?.number != nil)

        #expect(try rto(words + [path, "--learning-rate-scale", "2"]).status == 65, "that would be another table")
        for lost in [
            "results.json", "chains/1/runs/rto", "chains/1/measured/rto.json", "chains/1/samples/evaluation-rto.jsonl",
        ] {
            try FileManager.default.removeItem(at: place.url.appending(path: "table/" + lost))
        }
        let again = try rto(words + [path])
        #expect(again.status == 0 && !again.complaint.contains("Pretraining"))
        #expect(try Data(contentsOf: results) == whole)
    }

    @Test("Bad words are refused, and the command explains itself") func refusals() throws {
        #expect(try rto(["bench", "table", "--help"]).output.contains("rto bench table"))
        #expect(try rto(["bench", "table", "--methods", "magic"]).status == 64)
        let half = try rto(["bench", "table", "--model", "/"])
        #expect(half.status == 64 && half.complaint.contains("--gold"))
    }
}
