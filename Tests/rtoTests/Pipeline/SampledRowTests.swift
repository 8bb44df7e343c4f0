import PocketWorld
import TestSupport
import Testing

@testable import rto

@Suite struct SampledRowTests {
    private let line = #"{"prompt":"p","completion":" c","completion_ids":[7,8],"finish_reason":"stop"}"#

    @Test("Rows of rto generate are read") func reads() throws {
        let place = try TemporaryDirectory()
        let path = try place.write("rows.jsonl", line + "\n")
        let expected = SampledRow(prompt: "p", completion: " c", tokens: [7, 8], isFinished: true)
        #expect(try SampledRow.read(path) == [expected])
    }

    @Test("A line that is no completion is named") func badLine() throws {
        let place = try TemporaryDirectory()
        let path = try place.write("rows.jsonl", line + "\n{}\n")
        #expect(throws: PipelineError.self) { try SampledRow.read(path) }
        #expect(throws: PipelineError.self) { try SampledRow.read(path + "x") }
        do {
            _ = try SampledRow.read(path)
        } catch {
            #expect("\(error)".contains("rows.jsonl:2"))
        }
    }

    @Test("Two responses to a prompt are judged; equal ones make no pair") func judging() throws {
        let prompt = "i am ann . describe the ring : tall , free , rome ."
        func row(_ text: String) -> SampledRow {
            SampledRow(prompt: prompt, completion: text, tokens: [1], isFinished: true)
        }
        let good = row(" the size is tall . the price is free . the place is rome . kind regards .")
        let bad = row(" what a waste . too bad . leave me alone .")
        func pairs(_ rows: [SampledRow]) throws -> [PreferencePair] {
            judgePairs(rows, golds: try Gold.world.scores(rows, prompts: ""), seed: 1, purpose: "test")
        }
        let judged = try pairs([good, bad, bad, good, bad, bad])
        // A difference of some eight is beyond the judge's noise.
        #expect(judged.map(\.chosen) == [good.completion, good.completion])
        #expect(try pairs([good, bad]) == Array(judged.prefix(1)))
        #expect(try pairs([]).isEmpty)
    }
}
