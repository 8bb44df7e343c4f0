import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

@testable import Datasets

/// A row that is looked at has the tokens and the marks that a run would train on.
@Suite struct SeenRowTests {
    let directory: TemporaryDirectory
    let tokenizer: Tokenizer

    init() throws {
        directory = try TemporaryDirectory()
        tokenizer = try TinyTokenizer.make(in: directory)
    }

    private func reader(_ line: String, _ options: DatasetOptions = DatasetOptions()) throws -> DatasetReader {
        let path = try directory.write("rows.jsonl", line)
        return DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer, options: options)
    }

    private func seen(
        _ reader: DatasetReader,
        _ line: String,
        as reading: RowReading? = nil,
        limit: Int? = nil
    ) throws -> SeenRow {
        let object = try #require(try JSON(parsing: line).object)
        let location = RowLocation(path: directory.url.appending(path: "rows.jsonl").path, line: 1)
        return try reader.seen(object, at: location, as: reading, maximumLength: limit, maximumPromptLength: limit)
    }

    private static let conversation =
        #"{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"ab"},{"role":"user","content":"y"},{"role":"assistant","content":"z"}]}"#

    @Test(
        "an example of each kind has the ids, the prompt and the marks of training",
        arguments: [
            (#"{"prompt":"xy","completion":"z"}"#, SeenRow.Kind.promptAndCompletion),
            (#"{"prompt":[{"role":"user","content":"x"}],"completion":"z"}"#, .promptAndCompletion),
            (#"{"text":"xyz"}"#, .text), (#"{"input_ids":[1,2,3,4],"prompt_length":2}"#, .ids),
            (conversation, .conversation),
        ]
    )
    func examples(line: String, kind: SeenRow.Kind) throws {
        for limit in [nil, 6, 40] as [Int?] {
            let reader = try reader(line)
            let row = try seen(reader, line, limit: limit)
            guard let example = try? reader.rows(.examples, maximumLength: limit).rows.first else {
                #expect(row.isDropped && row.report.promptsTooLong == 1)
                continue
            }
            #expect(row.kind == kind && !row.isDropped && row.source == example.source)
            #expect(row.prompt + row.responses[0].ids == example.ids && row.prompt.count == example.promptLength)
            #expect(row.responses[0].isLearned == example.isLearned && row.responses.count == 1)
        }
    }

    @Test("blocks of generation give the marks of training: both answers, and nothing between them")
    func generations() throws {
        var options = DatasetOptions()
        options.chatTemplate =
            "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
            + "{% else %}<{{ m.content }}>{% endif %}{% endfor %}"
        let reader = try reader(Self.conversation, options)
        let row = try seen(reader, Self.conversation)
        let example = try #require(try reader.rows(.examples).rows.first)
        #expect(row.prompt == bytes("<x>") && row.responses[0].ids == [TinyTokenizer.merged] + bytes("<y>z"))
        #expect(row.responses[0].isLearned == [true, false, false, false, true])
        #expect(row.responses[0].isLearned == example.isLearned && row.prompt + row.responses[0].ids == example.ids)
    }

    @Test("pairs, labelled responses and prompts go by their shapes, and agree with training")
    func others() throws {
        let pair = #"{"prompt":"xy","chosen":"abz","rejected":"abq"}"#
        var reader = try reader(pair)
        let trained = try #require(try reader.rows(.pairs).rows.first)
        let row = try seen(reader, pair)
        #expect(row.kind == .pair && row.prompt == trained.prompt)
        #expect(row.responses.map(\.ids) == [trained.chosen, trained.rejected])

        let labelled = #"{"prompt":"xy","completion":"z","label":false}"#
        reader = try self.reader(labelled)
        let unpaired = try #require(try reader.rows(.unpairedExamples).rows.first)
        let seenLabel = try seen(reader, labelled)
        #expect(seenLabel.kind == .unpaired && seenLabel.label == false)
        #expect(seenLabel.prompt + seenLabel.responses[0].ids == unpaired.example.ids)

        let asked = #"{"messages":[{"role":"user","content":"x"}]}"#
        reader = try self.reader(asked)
        let prompt = try seen(reader, asked)
        let sampled = try #require(try reader.prompts().rows.first)
        #expect(prompt.kind == .prompt && prompt.prompt == sampled.ids)
        #expect(prompt.responses.isEmpty)
        // The prompt of a conversation with its answer is what PPO sees of it.
        let whole = try seen(self.reader(Self.conversation), Self.conversation, as: .prompt)
        #expect(whole.kind == .prompt && whole.responses.isEmpty)
    }

    @Test("what training drops or cuts is shown all the same, and said")
    func dropped() throws {
        let empty = #"{"prompt":"xy","completion":""}"#
        let row = try seen(reader(empty), empty)
        #expect(row.isDropped && row.report.responsesEmpty == 1)
        #expect(row.responses[0].ids == [TinyTokenizer.end])
        let long = #"{"prompt":"xy","completion":"0123456789"}"#
        let cut = try seen(reader(long), long, limit: 8)
        #expect(!cut.isDropped && cut.report.responsesCut == 1 && cut.prompt.count + cut.responses[0].ids.count == 8)
        #expect(cut.responses[0].ids.last == TinyTokenizer.end)
        let tooLong = try seen(reader(long), long, limit: 4)
        #expect(tooLong.isDropped && tooLong.report.promptsTooLong == 1 && tooLong.responses[0].ids.count == 11)
        let prompt = #"{"prompt":"0123456789"}"#
        #expect(try seen(reader(prompt), prompt, limit: 4).isDropped)
    }

    @Test("a row of no form is an error that names the forms")
    func unknown() throws {
        let line = #"{"question":"x"}"#
        let error = #expect(throws: DatasetError.self) { try seen(reader(line), line) }
        #expect(error?.description.contains("rows.jsonl:1: the row has none of the forms") == true)
        #expect(throws: DatasetError.self) { try seen(reader(line), #"{"prompt":"x"}"#, as: .pair) }
    }
}
