import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

@testable import Datasets

@Suite struct DatasetReaderTests {
    let directory: TemporaryDirectory
    let tokenizer: Tokenizer

    init() throws {
        directory = try TemporaryDirectory()
        tokenizer = try TinyTokenizer.make(in: directory)
    }

    private func reader(_ lines: String..., options: DatasetOptions = DatasetOptions()) throws -> DatasetReader {
        let path = try directory.write("rows.jsonl", lines.joined(separator: "\n"))
        return DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer, options: options)
    }

    private let begin = TinyTokenizer.begin
    private let end = TinyTokenizer.end

    @Test("A prompt of text gets what begins a text and not what ends it; its response ends the sequence once")
    func text() throws {
        let rows = try reader(
            #"{"prompt":"xy","completion":"z\n\n"}"#,
            #"{"prompt":"<s>xy","completion":"z</s>"}"#,
            #"{"text":"xy"}"#
        ).rows(.examples).rows
        #expect(rows[0].ids == [begin] + bytes("xyz") + [end])
        #expect(rows[0].promptLength == 3)
        #expect(rows[0].source.line == 1)
        #expect(rows[1].ids == rows[0].ids)
        #expect(rows[1].promptLength == 3)
        #expect(rows[2].ids == [begin] + bytes("xy") + [end])
        #expect(rows[2].promptLength == 0)
    }

    @Test("A prompt has the same ids in training as in sampling, also where a token would span its end")
    func boundary() throws {
        let reader = try reader(#"{"prompt":"xa","completion":"bab"}"#)
        let examples = try reader.rows(.examples)
        #expect(examples.rows[0].ids == [begin] + bytes("xab") + [TinyTokenizer.merged, end])
        #expect(examples.report.responsesTokenizedApart == 1)
        #expect(try reader.prompts().rows[0].ids == Array(examples.rows[0].ids[..<examples.rows[0].promptLength]))
    }

    @Test("Messages are rendered by the chat template, with nothing added but the end of sequence")
    func messages() throws {
        let (start, stop) = (TinyTokenizer.start, TinyTokenizer.stop)
        let row = #"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"r"}]}"#
        let example = try reader(row).rows(.examples).rows[0]
        let prompt = [start] + bytes("user\nq") + [stop] + bytes("\n") + [start] + bytes("assistant\n")
        #expect(example.ids == prompt + bytes("r") + [stop, end])
        #expect(example.promptLength == prompt.count)
        let asked = try reader(row).prompts().rows[0]
        #expect(asked.ids == prompt)
        #expect(asked.text == "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n")
        #expect(asked.row["messages"]?.array?.count == 2)
    }

    @Test("Where the template ends an answer by the end of sequence, that is its end")
    func templateEndsSequence() throws {
        let directory = try TemporaryDirectory()
        let tokenizer = try TinyTokenizer.make(in: directory, endOfSequence: "<|im_end|>")
        let path = try directory.write(
            "rows.jsonl",
            #"{"prompt":[{"role":"user","content":"q"}],"chosen":"c","rejected":"r"}"#
        )
        let pair = try DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer).rows(.pairs).rows[0]
        #expect(pair.chosen == bytes("c") + [TinyTokenizer.stop])
        #expect(pair.rejected == bytes("r") + [TinyTokenizer.stop])
    }

    @Test("An input template holds prompts of text and leaves responses alone")
    func inputTemplate() throws {
        var options = DatasetOptions()
        options.inputTemplate = try InputTemplate(#"U: {}\nA: "#)
        let row = #"{"prompt":"q","chosen":"c","rejected":"","margin":0.5}"#
        let pair = try reader(row, options: options).rows(.pairs).rows[0]
        #expect(pair.prompt == [begin] + bytes("U: q\nA: "))
        #expect(pair.chosen == bytes("c") + [end])
        #expect(pair.rejected == [end])
        #expect(pair.margin == nil)
        options.readsMargins = true
        #expect(try reader(row, options: options).rows(.pairs).rows[0].margin == 0.5)
        for text in ["", "User:", "{} and {}", "{ }"] {
            #expect(throws: DatasetError.self, "\(text)") { try InputTemplate(text) }
        }
        #expect(try InputTemplate(#"a\\n\t\q{}\"#).filled(with: "\\n{}") == "a\\n\t\\q\\n{}\\")
    }

    @Test("Labels are true, false, 0 or 1, and empty responses may be bad ones")
    func unpaired() throws {
        let rows = try reader(
            #"{"prompt":"q","completion":"r","label":true}"#,
            #"{"prompt":"q","completion":"","label":0}"#,
            #"{"prompt":"q","completion":"r","label":1.0}"#
        ).rows(.unpairedExamples).rows
        #expect(rows.map(\.label) == [true, false, true])
        #expect(rows.map(\.example.promptLength) == [2, 2, 2])
        #expect(rows[1].example.ids == [begin] + bytes("q") + [end])
        for label in ["2", "\"yes\"", "null", "0.5"] {
            #expect(throws: DatasetError.self) {
                try reader("{\"prompt\":\"q\",\"completion\":\"r\",\"label\":\(label)}").rows(.unpairedExamples)
            }
        }
    }

    @Test("Long prompts are dropped, long responses cut at their end, and both are counted")
    func lengths() throws {
        let data = try reader(
            #"{"prompt":"123456","completion":"x"}"#,
            #"{"prompt":"12345","completion":"x"}"#,
            #"{"prompt":"1","completion":"23456789"}"#,
            #"{"prompt":"1","completion":"2345678"}"#,
            #"{"text":"1234567890"}"#,
            #"{"input_ids":[1,2,3,4,5,6,7,8,9,10,11],"prompt_length":1}"#,
            #"{"prompt":"q","completion":"\n"}"#
        ).rows(.examples, maximumLength: 9)
        #expect(data.report.promptsTooLong == 1)
        #expect(data.report.responsesCut == 4)
        #expect(data.report.responsesEmpty == 1)
        #expect(data.rows.map(\.ids.count) == [8, 9, 9, 9, 9])
        #expect(data.rows[1].ids == [begin] + bytes("1234567") + [end])
        #expect(data.rows.allSatisfy { $0.ids.last == end })
        #expect(
            data.report.description
                == "5 of 7 rows used, 1 dropped for a prompt that is too long, 1 dropped for an empty response, "
                + "4 responses cut at the end"
        )
        let prompts = try reader(#"{"prompt":"123"}"#, #"{"prompt":"1234"}"#).prompts(maximumLength: 4)
        #expect(prompts.rows.map(\.text) == ["123"])
        #expect(prompts.report.promptsTooLong == 1)
    }

    @Test("Rows of ids are taken as they are and need no tokenizer")
    func tokenized() throws {
        let lines = [
            #"{"input_ids":[1,2,3],"prompt_length":1}"#, #"{"prompt_ids":[1],"chosen_ids":[2],"rejected_ids":[3,4]}"#,
        ]
        func reader(_ line: String) throws -> DatasetReader {
            let path = try directory.write("ids.jsonl", line)
            return DatasetReader(sources: [DatasetSource(path: path)], tokenizer: nil)
        }
        #expect(try reader(lines[0]).rows(.examples).rows[0].ids == [1, 2, 3])
        let pair = try reader(lines[1]).rows(.pairs, maximumLength: 4).rows[0]
        #expect([pair.prompt, pair.chosen, pair.rejected] == [[1], [2], [3, 4]])
        #expect(try reader(lines[1]).prompts().rows[0].ids == [1])
        #expect(throws: DatasetError.self) { try reader(#"{"prompt":"x"}"#).prompts() }
    }

    @Test("Ids that the model does not have are an error with the row's place")
    func vocabulary() throws {
        var options = DatasetOptions()
        options.vocabularySize = 10
        let reader = try reader(
            #"{"prompt_ids":[9],"chosen_ids":[1],"rejected_ids":[1]}"#,
            #"{"prompt_ids":[9],"chosen_ids":[1],"rejected_ids":[10]}"#,
            options: options
        )
        let error = #expect(throws: DatasetError.self) { try reader.rows(.pairs) }
        #expect(error?.line == 2)
        #expect(error?.problem == .outsideVocabulary(id: 10, key: "rejected_ids", vocabularySize: 10))
        #expect(throws: DatasetError.self) { try self.reader(#"{"prompt":"a"}"#, options: options).prompts() }
    }

    @Test("Bad rows are errors, or are counted and shown where they are to be skipped")
    func badRows() throws {
        let lines = (0..<8).map { $0 == 3 ? #"{"prompt":"q"}"# : $0 % 2 == 0 ? "{" : "{}" }.joined(separator: "\n")
        #expect(throws: DatasetError.self) { try reader(lines).prompts() }
        var options = DatasetOptions()
        options.skipsBadRows = true
        let data = try reader(lines, options: options).prompts()
        #expect(data.rows.map(\.source.line) == [4])
        #expect(data.report.badRowCount == 7)
        #expect(data.report.badRows.map(\.line) == [1, 2, 3, 5, 6])
        #expect(throws: DatasetError.self) { try reader("{", "{", options: options).prompts() }
    }

    @Test("No rows, and no rows that can be used, are errors")
    func empty() throws {
        #expect(#expect(throws: DatasetError.self) { try reader("").prompts() }?.problem == .noRows)
        let error = #expect(throws: DatasetError.self) { try reader(#"{"prompt":"1234"}"#).prompts(maximumLength: 2) }
        #expect(error?.description.contains("0 of 1 rows used, 1 dropped for a prompt that is too long") == true)
        #expect(throws: DatasetError.self) { try reader(#"{"prompt_ids":[]}"#).prompts() }
    }

    @Test("A template that refuses a conversation, or is missing, is an error with the row's place")
    func templateErrors() throws {
        let row = #"{"prompt":[{"role":"user","content":"q"}]}"#
        var options = DatasetOptions()
        options.chatTemplate = "{{ raise_exception('No users.') }}"
        let refusal = #expect(throws: DatasetError.self) { try reader(row, options: options).prompts() }
        #expect(
            refusal?.description.hasSuffix("rows.jsonl:1: the chat template refuses the conversation: No users.")
                == true
        )
        options.chatTemplate = "{% if %}"
        #expect(throws: DatasetError.self) { try reader(row, options: options).prompts() }
        #expect(try reader(#"{"prompt":"q"}"#, options: options).prompts().rows.count == 1)
        let directory = try TemporaryDirectory()
        let bare = try TinyTokenizer.make(in: directory, chatTemplate: nil)
        let path = try directory.write("rows.jsonl", row)
        let missing = #expect(throws: DatasetError.self) {
            try DatasetReader(sources: [DatasetSource(path: path)], tokenizer: bare).prompts()
        }
        #expect(missing?.description.contains("--chat-template") == true)
    }

    @Test("A template whose prompt is no beginning of the conversation is refused")
    func templateWithoutPrefix() throws {
        var options = DatasetOptions()
        options.chatTemplate = "{{ messages | length }}{% if add_generation_prompt %}?{% endif %}"
        let row = #"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"r"}]}"#
        let error = #expect(throws: DatasetError.self) { try reader(row, options: options).rows(.examples) }
        #expect(error?.description.contains("told apart") == true)
    }

    @Test("A template with generation blocks teaches all of the assistant's turns, others the last answer")
    func generations() throws {
        let row =
            #"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"é"},{"role":"user","content":"p"},{"role":"assistant","content":"r"}]}"#
        var options = DatasetOptions()
        options.chatTemplate = """
            {% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %};\
            {% else %}{{ m.content }}{% endif %}{% endfor %}
            """
        let example = try #require(try reader(row, options: options).rows(.examples).rows.first)
        // What stands behind the last of them is never looked at.
        #expect(example.ids == bytes("qé;pr"))
        #expect(example.promptLength == 1)
        #expect(example.isLearned == [true, true, false, false, true])
        let labelled = try reader(row.dropLast() + #","label":true}"#, options: options).rows(.unpairedExamples).rows
        #expect(
            labelled.map(\.example.isLearned) == [example.isLearned] && labelled.map(\.example.ids) == [example.ids]
        )
        let whole = try #require(try reader(row).rows(.examples).rows.first)
        #expect(whole.isLearned == nil && whole.ids.last == end)
        options.chatTemplate = "{% generation %}{% endgeneration %}x"
        let error = #expect(throws: DatasetError.self) { try reader(row, options: options).rows(.examples) }
        #expect(error?.description.contains("marks nothing") == true)
    }

    @Test("Templates see a row's tools, documents, further columns and chat_template_kwargs")
    func variables() throws {
        var options = DatasetOptions()
        options.chatTemplate =
            "{{ tools[0].a }}{{ documents[0] }}{{ date }}{{ deep }}{{ bos_token }}{{ label is defined }}"
        let row =
            #"{"prompt":[{"role":"user","content":"q"}],"tools":"[{\"a\":1}]","documents":["d"],"date":"x","label":1,"chat_template_kwargs":{"deep":true}}"#
        #expect(try reader(row, options: options).prompts().rows.first?.text == "1dxTrue<s>False")
    }
}
