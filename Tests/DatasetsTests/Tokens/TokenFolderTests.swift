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

    private func folder(_ tokenizer: String = "tokenizer", expecting expected: [String: String] = [:]) -> TokenFolder {
        var digest = ContentDigest()
        digest.add(tokenizer.utf8)
        return TokenFolder(directory.url, tokenizer: digest, expecting: expected)
    }

    private func reader(_ paths: String..., options: DatasetOptions = DatasetOptions()) -> DatasetReader {
        DatasetReader(sources: paths.map(source), tokenizer: tokenizer, options: options)
    }

    /// The source of `path` or `path@weight`.
    private func source(_ text: String) -> DatasetSource {
        let parts = text.split(separator: "@").map(String.init)
        return DatasetSource(path: parts[0], weight: parts.count > 1 ? Double(parts[1]) : nil)
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
        let pairs = try reader.rows(.pairs, maximumLength: nil, in: folder(), named: "pairs")
        let expected = try reader.rows(.pairs)
        #expect(try all(pairs) == expected.rows && pairs.count == 1350 && pairs.report == expected.report)
        let examples = try reader.rows(.examples, maximumLength: 60, in: folder(), named: "examples")
        let expectedExamples = try reader.rows(.examples, maximumLength: 60)
        #expect(try all(examples) == expectedExamples.rows && examples.report == expectedExamples.report)
        #expect(
            try examples.largestTokenCounts(40)
                == Array(expectedExamples.rows.map(\.ids.count).sorted(by: >).prefix(40))
        )
        let unpaired = try reader.rows(.unpairedExamples, maximumLength: nil, in: folder(), named: "unpaired")
        #expect(try all(unpaired) == reader.rows(.unpairedExamples).rows)
        let prompts = try reader.rows(.prompts, maximumLength: nil, in: folder(), named: "prompts")
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
            let file = try TokenFile(directory.url.appending(path: "marks.safetensors"), vocabularySize: 7)
            #expect(try file.row(0, paths: writer.paths) == row)
        }
    }

    @Test("Rows that were kept are not read again, and the data may be gone")
    func kept() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"# + "\n" + #"{"text":"z"}"#)
        let first = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        #expect(!first.wasKept && first.gone.isEmpty)
        let second = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        #expect(second.wasKept && second.report == first.report)
        #expect(try all(second) == all(first))
        try FileManager.default.removeItem(atPath: path)
        let third = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        #expect(third.wasKept && third.gone == [path])
        #expect(try all(third) == all(first))
    }

    @Test("Data that have changed are an error, and a file that is only newer is none")
    func changes() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"#)
        _ = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        func again() throws -> TokenRows<TokenizedExample> {
            try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
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
            try reader(folder).rows(.examples, maximumLength: nil, in: self.folder(), named: "rows")
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
        _ = try reader(path).rows(.examples, maximumLength: 9, in: folder(), named: "rows")
        #expect(throws: DatasetError.self) {
            try reader(path).rows(.examples, maximumLength: 9, in: folder("other"), named: "rows")
        }
        #expect(throws: DatasetError.self) {
            try reader(path).rows(.examples, maximumLength: 8, in: folder(), named: "rows")
        }
        #expect(throws: DatasetError.self) {
            try reader(path).rows(.prompts, maximumLength: 9, in: folder(), named: "rows")
        }
        var options = DatasetOptions()
        options.chatTemplate = "{{ 1 }}"
        let error = #expect(throws: DatasetError.self) {
            try reader(path, options: options).rows(.examples, maximumLength: 9, in: folder(), named: "rows")
        }
        #expect(error?.description.contains("another tokenizer, chat template or setting") == true)
        #expect(try !reader(path).rows(.examples, maximumLength: 8, in: folder(), named: "others").wasKept)
    }

    @Test("A file of tokens that is cut or overwritten is an error and no crash")
    func damage() throws {
        let path = try data.write("a.jsonl", #"{"text":"some words"}"# + "\n" + #"{"text":"z"}"#)
        _ = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        let file = directory.url.appending(path: "rows.safetensors")
        let whole = try Data(contentsOf: file)
        let rows = try all(reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows"))
        #expect(rows[0].isLearned == nil && rows.count == 2)
        var refused = 0
        for place in stride(from: 0, to: whole.count, by: 3) {
            var bytes = whole
            bytes[place] ^= 0xFF
            try bytes.write(to: file)
            do {
                let found = try all(reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows"))
                #expect(found == rows, "byte \(place)")
            } catch is DatasetError { refused += 1 }
        }
        #expect(refused > 30)
        for count in [0, 5, 300, whole.count - 8] {
            try whole.prefix(count).write(to: file)
            #expect(throws: DatasetError.self) {
                try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
            }
        }
    }

    /// A row of any words at all, which carries the right digest.
    private struct Words: StorableRow {
        static var kind: String { "words" }
        let words: [Int]
        let tokenCount: Int
        let source = RowLocation(path: "x", line: 1)

        init(_ words: [Int], tokenCount: Int) { (self.words, self.tokenCount) = (words, tokenCount) }
        init(reading words: inout TokenWords.Reader, source: RowLocation) throws(TokenWords.Damage) {
            throw TokenWords.Damage()
        }
        func write(to words: inout TokenWords) { for word in self.words { words.append(word) } }
    }

    @Test("Words that no row writes are an error, though their digest is right")
    func impossibleWords() throws {
        let url = directory.url.appending(path: "words.safetensors")
        // Ids behind their count, the prompt's length, the first mark's kind and the lengths of the runs behind their count.
        for (words, count, isGood) in [
            ([6, 1, 2, 3, 4, 5, 6, 2, 1, 2, 3, 1], 6, true), ([6, 1, 2, 3, 4, 5, 6, 2, 0, 0], 6, true),
            ([6, 1, 2, 3, 4, 5, 6, 2, 1, 2, 5, -1], 6, false), ([6, 1, 2, 3, 4, 5, 6, 2, 1, 2, 3, 2], 6, false),
            ([6, 1, 2, 3, 4, 5, 6, 2, 3, 2, 3, 1], 6, false), ([6, 1, 2, 3, 4, 5, 6, 2, 0, 1, 4], 6, false),
            ([6, 1, 2, 3, 4, 5, 999, 2, 0, 0], 6, false), ([6, 1, 2, 3, 4, 5, -7, 2, 0, 0], 6, false),
            ([6, 1, 2, 3, 4, 5, 6, 7, 0, 0], 6, false), ([-1, 2, 0, 0], 0, false),
            ([6, 1, 2, 3, 4, 5, 6, 2, 0, 0], 5, false),
        ] as [([Int], Int, Bool)] {
            let writer = try TokenFileWriter(url)
            try writer.append(Words(words, tokenCount: count))
            try writer.finish()
            let row = Result {
                try TokenFile(url, vocabularySize: 10).row(0, paths: writer.paths) as TokenizedExample
            }
            #expect(((try? row.get()) != nil) == isGood, "\(words)")
        }
    }

    @Test("A record that cannot be read is an error, and nothing that is kept is overwritten")
    func damagedRecord() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"#)
        func rows() throws -> TokenRows<TokenizedExample> {
            try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        }
        _ = try rows()
        let (url, tokens) = (
            directory.url.appending(path: "rows.json"), directory.url.appending(path: "rows.safetensors")
        )
        let (text, kept) = (try String(contentsOf: url, encoding: .utf8), try Data(contentsOf: tokens))
        for damaged in [
            String(text.prefix(40)), "", "{}", text.replacingOccurrences(of: "\"size\"", with: "\"sise\""),
            text.replacingOccurrences(of: "\"rows_used\"", with: "\"rows\""),
        ] {
            try Data(damaged.utf8).write(to: url)
            #expect(throws: DatasetError(path: url.path, .damagedTokens)) { try rows() }
        }
        for counts in ["[9223372036854775807,1]", "[20,-4]", "[\"1\"]", "[2]", "[]", "[1,0]"] {
            let list = try #require(text.range(of: #""rows": \[[^\]]*\]"#, options: .regularExpression))
            try Data(text.replacingCharacters(in: list, with: "\"rows\": \(counts)").utf8).write(to: url)
            #expect(throws: DatasetError.self, "\(counts)") { try rows() }
        }
        #expect(try Data(contentsOf: tokens) == kept)
        try Data(text.utf8).write(to: url)
        #expect(try rows().wasKept)
    }

    @Test("Rows that a checkpoint has learned from are required, kept or read anew")
    func expectedRows() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"#)
        _ = try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        let digests = try TokenFolder.digests(in: directory.url)
        #expect(digests.keys.sorted() == ["rows"])
        func again(_ expected: [String: String]) throws -> TokenRows<TokenizedExample> {
            try reader(path).rows(.examples, maximumLength: nil, in: folder(expecting: expected), named: "rows")
        }
        #expect(try again(digests).wasKept)
        #expect(throws: DatasetError.self) { try again(["rows": "0"]) }
        for name in try directory.fileNames {
            try FileManager.default.removeItem(at: directory.url.appending(path: name))
        }
        #expect(try !again(digests).wasKept)
        for name in try directory.fileNames {
            try FileManager.default.removeItem(at: directory.url.appending(path: name))
        }
        try data.write("a.jsonl", #"{"text":"xz"}"#)
        #expect(throws: DatasetError(path: path, .changed)) { try again(digests) }
        #expect(try directory.fileNames.isEmpty)
    }

    @Test("Other sources, weights, orders or seeds are an error")
    func sources() throws {
        let text = #"{"text":"xy"}"# + "\n" + #"{"text":"z"}"#
        let (first, second) = (try data.write("a.jsonl", text), try data.write("b.jsonl", text))
        func rows(_ paths: String..., seed: UInt64 = 0) throws -> TokenRows<TokenizedExample> {
            var options = DatasetOptions()
            options.seed = seed
            return try DatasetReader(sources: paths.map(source), tokenizer: tokenizer, options: options)
                .rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        }
        _ = try rows("\(first)@1", "\(second)@2")
        #expect(try rows("\(first)@1", "\(second)@2").wasKept)
        #expect(throws: DatasetError.self) { try rows("\(second)@1", "\(first)@2") }
        #expect(throws: DatasetError.self) { try rows("\(first)@2", "\(second)@1") }
        #expect(throws: DatasetError.self) { try rows("\(first)@1") }
        #expect(throws: DatasetError.self) { try rows("\(first)@1", "\(second)@2", seed: 1) }
    }

    @Test("A time of writing far from ours is one like any other, and another split beside the data is no change")
    func timesAndSplits() throws {
        let folder = data.url.appending(path: "rows").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let path = try data.write("rows/train.jsonl", #"{"text":"xy"}"#)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 12_000_000_000)],
            ofItemAtPath: path
        )
        func rows() throws -> TokenRows<TokenizedExample> {
            try reader(folder).rows(.examples, maximumLength: nil, in: self.folder(), named: "rows")
        }
        #expect(try !rows().wasKept)
        #expect(try rows().wasKept)
        try data.write("rows/test.jsonl", #"{"text":"a"}"#)
        #expect(try rows().wasKept)
        let second = try data.write("rows/train-2.jsonl", #"{"text":"a"}"#)
        #expect(throws: DatasetError(path: second, .changed)) { try rows() }
    }

    @Test("What was not written to its end is not there: the data are read again")
    func unfinished() throws {
        let path = try data.write("a.jsonl", #"{"text":"xy"}"# + "\n{")
        #expect(throws: DatasetError.self) {
            try reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")
        }
        #expect(try directory.fileNames.isEmpty)
        try data.write("a.jsonl", #"{"text":"xy"}"#)
        try directory.write("rows.safetensors", "half")
        #expect(try all(reader(path).rows(.examples, maximumLength: nil, in: folder(), named: "rows")).count == 1)
    }
}
