import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

@testable import Datasets

@Suite("Tokens that a run keeps")
struct TokenFolderTests {
    let directory: TemporaryDirectory
    let data: TemporaryDirectory
    let tokenizer: Tokenizer

    init() throws {
        directory = try TemporaryDirectory()
        data = try TemporaryDirectory()
        tokenizer = try TinyTokenizer.make(in: data)
    }

    private func folder(_ tokenizer: String = "tokenizer") -> TokenFolder {
        var digest = ContentDigest()
        digest.add(tokenizer.utf8)
        return TokenFolder(directory.url, tokenizer: digest)
    }

    private func reader(_ paths: String..., options: DatasetOptions = DatasetOptions()) -> DatasetReader {
        let sources = paths.compactMap { try? DatasetSource(parsing: $0) }
        return DatasetReader(sources: sources, tokenizer: tokenizer, options: options)
    }

    private func all<Row>(_ rows: TokenRows<Row>) throws -> [Row] { try (0..<rows.count).map { try rows.row($0) } }

    @Test("Rows of every kind come back as they were, in the order of the mixture")
    func roundTrip() throws {
        let text = (0..<900).map {
            #"{"prompt":"\#($0)","completion":"\#(String(repeating: "x", count: $0 % 70))y","chosen":"a\#($0)","rejected":"b","#
                + #""margin":\#($0 % 3 == 0 ? "null" : "\($0).5"),"label":\#($0 % 2)}"# + "\n"
        }.joined()
        let (first, second) = (try data.write("a.jsonl", text), try data.write("b.jsonl", text))
        var options = DatasetOptions()
        options.readsMargins = true
        options.seed = 3
        let reader = reader("\(first)@2", "\(second)@1", options: options)
        let pairs = try reader.pairs(maximumLength: nil, in: folder(), named: "pairs")
        let expected = try reader.pairs()
        #expect(try all(pairs) == expected.rows && pairs.count == 1350 && pairs.report == expected.report)
        let examples = try reader.examples(maximumLength: 60, in: folder(), named: "examples")
        let expectedExamples = try reader.examples(maximumLength: 60)
        #expect(try all(examples) == expectedExamples.rows && examples.report == expectedExamples.report)
        #expect(
            try examples.largestTokenCounts(40)
                == Array(expectedExamples.rows.map(\.ids.count).sorted(by: >).prefix(40))
        )
        let unpaired = try reader.unpairedExamples(maximumLength: nil, in: folder(), named: "unpaired")
        #expect(try all(unpaired) == reader.unpairedExamples().rows)
        let prompts = try reader.prompts(maximumLength: nil, in: folder(), named: "prompts")
        #expect(try all(prompts).map(\.ids) == reader.prompts().rows.map(\.ids))
        #expect(try prompts.row(7).source == reader.prompts().rows[7].source)
    }

    @Test("Marks of what is learned come back, of any pattern")
    func marks() throws {
        for marks in [nil, [true], [false], [false, true, true, false], [true, false, true], []] as [[Bool]?] {
            let ids = Array(0..<(marks?.count ?? 2) + 3)
            let place = RowLocation(path: "x", line: 1 << 40)
            let row = TokenizedExample(ids: ids, promptLength: 3, isLearned: marks, source: place)
            let writer = try TokenFileWriter(directory.url.appending(path: "marks.safetensors"))
            try writer.append(row)
            try writer.finish()
            let file = try TokenFile(directory.url.appending(path: "marks.safetensors"))
            #expect(try file.row(0, paths: writer.paths) == row)
        }
    }

    @Test("Rows that were kept are not read again, and the data may be gone")
    func kept() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"# + "\n" + #"{"text":"z"}"#)
        let first = try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        #expect(!first.wasKept && first.gone.isEmpty)
        let second = try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        #expect(second.wasKept && second.report == first.report)
        #expect(try all(second) == all(first))
        try FileManager.default.removeItem(atPath: path)
        let third = try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        #expect(third.wasKept && third.gone == [path])
        #expect(try all(third) == all(first))
    }

    @Test("Data that have changed are an error, and a file that is only newer is none")
    func changes() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"#)
        _ = try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        func again() throws -> TokenRows<TokenizedExample> {
            try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        }
        try data.write("a.jsonl", #"{"text":"xy"}"#)
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 7)], ofItemAtPath: path)
        #expect(try again().wasKept)
        for text in [#"{"text":"xz"}"#, #"{"text":"xyz"}"#] {
            try data.write("a.jsonl", text)
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 8)],
                ofItemAtPath: path
            )
            #expect(throws: DatasetError(path: path, .changed)) { try again() }
        }
    }

    @Test("A file that has come into a directory is a change, and one that has gone is none")
    func directories() throws {
        let folder = data.url.appending(path: "rows").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        for name in ["a", "b"] { try data.write("rows/\(name).jsonl", #"{"text":"\#(name)"}"#) }
        func rows() throws -> TokenRows<TokenizedExample> {
            try reader(folder).examples(maximumLength: nil, in: self.folder(), named: "rows")
        }
        #expect(try rows().count == 2)
        let new = try data.write("rows/c.jsonl", #"{"text":"c"}"#)
        #expect(throws: DatasetError(path: new, .changed)) { try rows() }
        try FileManager.default.removeItem(atPath: new)
        try FileManager.default.removeItem(atPath: folder + "/b.jsonl")
        #expect(try rows().gone == [folder + "/b.jsonl"] && rows().count == 2)
    }

    @Test("Another tokenizer, template, limit or kind is an error; another name is not")
    func settings() throws {
        let path = try data.write("a.jsonl", #"{"prompt":"a","text":"xy"}"#)
        _ = try reader(path).examples(maximumLength: 9, in: folder(), named: "rows")
        #expect(throws: DatasetError.self) {
            try reader(path).examples(maximumLength: 9, in: folder("other"), named: "rows")
        }
        #expect(throws: DatasetError.self) { try reader(path).examples(maximumLength: 8, in: folder(), named: "rows") }
        #expect(throws: DatasetError.self) { try reader(path).prompts(maximumLength: 9, in: folder(), named: "rows") }
        var options = DatasetOptions()
        options.chatTemplate = "{{ 1 }}"
        let error = #expect(throws: DatasetError.self) {
            try reader(path, options: options).examples(maximumLength: 9, in: folder(), named: "rows")
        }
        #expect(error?.description.contains("another tokenizer, chat template or setting") == true)
        #expect(try !reader(path).examples(maximumLength: 8, in: folder(), named: "others").wasKept)
    }

    @Test("A file of tokens that is cut or overwritten is an error and no crash")
    func damage() throws {
        let path = try data.write("a.jsonl", #"{"text":"some words"}"# + "\n" + #"{"text":"z"}"#)
        _ = try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        let file = directory.url.appending(path: "rows.safetensors")
        let whole = try Data(contentsOf: file)
        for place in stride(from: 0, to: whole.count, by: 3) {
            var bytes = whole
            bytes[place] ^= 0xFF
            try bytes.write(to: file)
            do {
                _ = try all(reader(path).examples(maximumLength: nil, in: folder(), named: "rows"))
            } catch is DatasetError {}
        }
        for count in [0, 5, 300, whole.count - 8] {
            try whole.prefix(count).write(to: file)
            #expect(throws: DatasetError.self) {
                try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
            }
        }
    }

    @Test("What was not written to its end is not there: the data are read again")
    func unfinished() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"# + "\n{")
        #expect(throws: DatasetError.self) {
            try reader(path).examples(maximumLength: nil, in: folder(), named: "rows")
        }
        #expect(try directory.fileNames.isEmpty)
        try data.write("a.jsonl", #"{"text":"xy"}"#)
        try directory.write("rows.safetensors", "half")
        #expect(try all(reader(path).examples(maximumLength: nil, in: folder(), named: "rows")).count == 1)
    }
}
