import JSONText
import TestSupport
import Testing

@testable import Datasets

@Suite struct HeldOutTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Two rows for each of some prompts.
    private func write(_ name: String, _ prompts: Range<Int>) throws -> DatasetSource {
        let rows = prompts.flatMap { prompt in
            (0..<2).map { #"{"prompt_ids":[\#(prompt)],"chosen_ids":[1,\#($0)],"rejected_ids":[2]}"# + "\n" }
        }
        return DatasetSource(path: try directory.write(name, rows.joined()))
    }

    private func prompts(
        _ sources: [DatasetSource],
        _ part: HeldOut.Part?,
        share: Double = 0.3,
        seed: UInt64 = 42,
        maximumLength: Int? = nil
    ) throws -> [Int] {
        var options = DatasetOptions()
        options.heldOut = part.map { HeldOut(share: share, seed: seed, part: $0) }
        let reader = DatasetReader(sources: sources, tokenizer: nil, options: options)
        return try reader.rows(.pairs, maximumLength: maximumLength).rows.map { $0.prompt[0] }
    }

    @Test("The parts are all rows, and no prompt is in both") func disjoint() throws {
        let data = [try write("a.jsonl", 0..<500)]
        let (training, evaluation) = (try prompts(data, .training), try prompts(data, .evaluation))
        #expect(Set(training).isDisjoint(with: evaluation))
        #expect((training + evaluation).sorted() == (try prompts(data, nil)).sorted())
        // 150 of 500 expected, with a standard deviation of 10.
        #expect(abs(Set(evaluation).count - 150) < 40)
    }

    @Test("Where a prompt belongs depends on the seed, and not on files, order or limits") func stability() throws {
        let whole = [try write("a.jsonl", 0..<100)]
        let parts = [try write("b.jsonl", 50..<100), try write("c.jsonl", 0..<50)]
        let evaluation = Set(try prompts(whole, .evaluation))
        #expect(Set(try prompts(parts, .evaluation)) == evaluation)
        #expect(Set(try prompts(whole, .evaluation, maximumLength: 9)) == evaluation)
        #expect(Set(try prompts(whole + [try write("d.jsonl", 100..<200)], .evaluation)).isSuperset(of: evaluation))
        #expect(Set(try prompts(whole, .evaluation, seed: 43)) != evaluation)
        #expect(Set(try prompts(whole, .evaluation, share: 0.5)).isSuperset(of: evaluation))
        // What was held out once is held out by every later version.
        #expect(evaluation.sorted().prefix(6) == [1, 8, 14, 15, 21, 27])
    }

    @Test("Rows with the same question belong together, whatever the answer") func conversations() throws {
        let held = HeldOut(share: 0.5, seed: 1, part: .evaluation)
        func takes(_ text: String) throws -> Bool {
            held.takes(try #require(try JSON(parsing: text).object), DatasetKeys())
        }
        for number in 0..<40 {
            let question = "{\"messages\":[{\"role\":\"user\",\"content\":\"\(number)\"},"
            let first = try takes(question + #"{"role":"assistant","content":"a"}]}"#)
            #expect(try takes(question + #"{"content":"b","role":"assistant"}],"more":1}"#) == first)
            let text = try takes("{\"prompt\":\"\(number)\",\"completion\":\"a\"}")
            #expect(try takes("{\"completion\":\"b\",\"prompt\":\"\(number)\"}") == text)
            let ids = try takes("{\"input_ids\":[\(number),7,8],\"prompt_length\":2}")
            #expect(try takes("{\"input_ids\":[\(number),7,9,9],\"prompt_length\":2}") == ids)
        }
    }

    @Test("A part without rows, and a source without rows in a mixture, are refused") func empty() throws {
        let data = [try write("a.jsonl", 0..<3)]
        #expect { try prompts(data, .evaluation, share: 1e-6) } throws: {
            "\($0)".contains("leaves none to evaluate on; hold out more")
        }
        func weighted(_ weight: Double, _ path: String) -> DatasetSource { DatasetSource(path: path, weight: weight) }
        let other = try write("b.jsonl", 0..<3).path
        #expect { try prompts([weighted(1, data[0].path), weighted(1e-3, other)], nil) } throws: {
            "\($0)".hasPrefix(other) && "\($0)".contains("raise the weight or leave it out")
        }
        let none = try directory.write("none.jsonl", "\n")
        #expect { try prompts([weighted(1, data[0].path), weighted(1, none)], nil) } throws: { "\($0)".hasPrefix(none) }
    }
}
