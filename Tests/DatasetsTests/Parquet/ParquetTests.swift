import Foundation
import JSONText
import TestSupport
import Testing
import Tokenizers

@testable import Datasets

@Suite(.enabled(if: !ParquetLibrary.isWithoutArrow, "Apache Arrow is not there and cannot be fetched"))
struct ParquetTests {
    let directory: TemporaryDirectory
    let tokenizer: Tokenizer

    init() throws {
        directory = try TemporaryDirectory()
        tokenizer = try TinyTokenizer.make(in: directory)
    }

    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")
        .standardizedFileURL

    private func fixture(_ name: String) -> String { Self.fixtures.appending(path: name).path }

    private func rows(_ path: String, _ columns: ColumnChoice = ColumnChoice()) throws -> [DatasetRow] {
        var rows: [DatasetRow] = []
        try DatasetFile(path: path).forEachRow(columns) { (row) throws(DatasetError) in
            rows.append(try row.parsed())
        }
        return rows
    }

    private func reader(_ path: String, _ options: DatasetOptions = DatasetOptions()) -> DatasetReader {
        DatasetReader(sources: [DatasetSource(path: path)], tokenizer: tokenizer, options: options)
    }

    @Test(
        "Rows written by pyarrow are the rows of the same table in JSON lines",
        arguments: [
            "ultrafeedback", "ultra_train", "types",
        ]
    )
    func rows(name: String) throws {
        let (table, lines) = (try rows(fixture(name + ".parquet")), try rows(fixture(name + ".jsonl")))
        #expect(table.count == lines.count && !lines.isEmpty)
        for (row, line) in zip(table, lines) {
            #expect(row.object.members.map(\.key) == line.object.members.map(\.key))
            for (key, value) in line.object.members { #expect(row.object[key] == value, "\(key)") }
        }
        #expect(table.map(\.location.line) == Array(1...table.count))
    }

    @Test("Every task makes the same tokens of ultrafeedback_binarized in either form")
    func preferences() throws {
        try checkSameTokens(fixture("ultrafeedback.parquet"), fixture("ultrafeedback.jsonl"), hasAnswers: true)
    }

    @Test("Prompts of ultra_train become the same tokens in either form")
    func prompts() throws {
        try checkSameTokens(fixture("ultra_train.parquet"), fixture("ultra_train.jsonl"), hasAnswers: false)
    }

    private func checkSameTokens(_ table: String, _ lines: String, hasAnswers: Bool) throws {
        let (table, lines) = (reader(table), reader(lines))
        let folder = TokenFolder(directory.url, tokenizer: ContentDigest())
        let name = UUID().uuidString
        let prompts = try lines.prompts().rows.map(\.ids)
        #expect(!prompts.isEmpty)
        #expect(try table.prompts().rows.map(\.ids) == prompts)
        let kept = try table.rows(.prompts, maximumLength: nil, in: folder, named: name + "prompts")
        #expect(try (0..<kept.count).map { try kept.row($0).ids } == prompts)
        guard hasAnswers else { return }
        let pairs = try lines.rows(.pairs).rows.map { [$0.prompt, $0.chosen, $0.rejected] }
        #expect(try table.rows(.pairs).rows.map { [$0.prompt, $0.chosen, $0.rejected] } == pairs)
        let keptPairs = try table.rows(.pairs, maximumLength: nil, in: folder, named: name + "pairs")
        #expect(
            try (0..<keptPairs.count).map { try keptPairs.row($0) }.map { [$0.prompt, $0.chosen, $0.rejected] } == pairs
        )
        let examples = try lines.rows(.examples).rows.map(\.ids)
        #expect(try table.rows(.examples).rows.map(\.ids) == examples)
        let keptExamples = try table.rows(.examples, maximumLength: nil, in: folder, named: name + "examples")
        #expect(try (0..<keptExamples.count).map { try keptExamples.row($0).ids } == examples)
    }

    @Test(
        "Every codec, page version and encoding gives the same tokens",
        .enabled(
            if: ProcessInfo.processInfo.environment["RTO_PARQUET_FOLDER"] != nil,
            "Fixtures/record-parquet.py writes hundreds of files into a folder; RTO_PARQUET_FOLDER names it"
        )
    )
    func everyForm() throws {
        let folder = ProcessInfo.processInfo.environment["RTO_PARQUET_FOLDER"] ?? ""
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".parquet") }
        #expect(names.count > 90)
        for name in names.sorted() {
            let task = name.prefix { $0 != "-" }
            try checkSameTokens("\(folder)/\(name)", "\(folder)/\(task).jsonl", hasAnswers: task == "pairs")
        }
    }

    @Test("Columns that nobody looks at are left out, whichever of them the file has")
    func columns() throws {
        let rows = try rows(fixture("ultrafeedback.parquet"), ColumnChoice(skipped: ["messages", "chosen", "absent"]))
        #expect(
            rows[0].object.members.map(\.key) == ["prompt", "prompt_id", "rejected", "score_chosen", "score_rejected"]
        )
    }

    @Test(
        "A column that no row can hold is an error that names it, and the part of it that is of such a type",
        arguments: [
            ("id", "the column \"id\" is of Arrow's type w:16, which a row cannot hold; write the file without it"),
            (
                "turns",
                "the column \"turns\" is, in its part \"element.when\", of Arrow's type tDs, which a row cannot hold"
            ),
            ("image", ", row 2: the column \"image\" holds, in its part \"bytes\", bytes that are no text in UTF-8"),
        ]
    )
    func unreadableColumn(name: String, sentence: String) throws {
        let path = fixture("unreadable.parquet")
        for choice in [
            ColumnChoice(skipped: Set(["id", "turns", "image"]).subtracting([name])), .init(required: [name]),
        ] {
            let error = #expect(throws: DatasetError.self) { try rows(path, choice) }
            #expect(error?.description.contains(sentence) == true, "\(String(describing: error))")
        }
        #expect(throws: DatasetError.self) { try reader(path).prompts() }
        var options = DatasetOptions()
        options.keys.prompt = name
        let error = #expect(throws: DatasetError.self) { try reader(path, options).rows(.prompts) }
        #expect(error?.description.contains("\"\(name)\"") == true)
    }

    @Test("A column that no row can hold is left out where nothing needs it, and the report says so")
    func leftOut() throws {
        let duration = try reader(fixture("duration.parquet")).rows(.prompts)
        #expect(duration.rows.count == 1 && duration.report.columnsLeftOut == ["spent"])
        let found = try reader(fixture("unreadable.parquet")).rows(.prompts)
        #expect(found.rows.map(\.ids) == [[TinyTokenizer.begin, 120], [TinyTokenizer.begin, 121]])
        #expect(
            found.report.description
                == "2 of 2 rows used, without \"id\", \"image\", \"turns\", whose type or values a row cannot hold"
        )
        let rows = try rows(fixture("unreadable.parquet"), ColumnChoice(required: ["prompt"]))
        #expect(rows.map { $0.object.members.map(\.key) } == [["prompt", "image"], ["prompt"]])
        var keys: [[String]] = []
        let stream = RowStream(paths: [fixture("unreadable.parquet")], for: reader(""))
        try stream.forEach { row, _ in keys.append(row.members.map(\.key)) }
        #expect(keys == [["prompt", "image"], ["prompt"]])
        #expect(throws: DatasetError.self) { try RowStream(paths: [fixture("unreadable.parquet")]).forEach { _, _ in } }
        let error = #expect(throws: DatasetError.self) { try reader(fixture("ultra_train.parquet")).rows(.examples) }
        #expect(error?.description.contains("its keys are \"context_messages\"") == true)
    }

    @Test("Batches are of bounded size in memory, however small their rows are in the file")
    func batches() throws {
        func batches(_ choice: ColumnChoice) throws -> [(rows: Int, bytes: Int)] {
            let file = try ParquetFile(path: fixture("repeated.parquet"), choice)
            var batches: [(rows: Int, bytes: Int)] = []
            while let batch = try file.nextBatch() {
                batches.append((batch.rowCount, batch.rowCount * batch.averageRowByteCount))
            }
            #expect(batches.map(\.rows).reduce(0, +) == 600)
            return batches
        }
        // A row takes 99,000 bytes and some, of which 8 MiB hold 84.
        let long = try batches(ColumnChoice(skipped: ["source"]))
        #expect(long.prefix(6).map(\.rows) == [1, 4, 16, 64, 84, 84])
        #expect(long.allSatisfy { $0.bytes <= 8 << 20 && $0.bytes >= 99_000 * $0.rows })
        // A dictionary is there once, and says nothing of the rows.
        let dictionary = try batches(ColumnChoice(skipped: ["completion"]))
        #expect(dictionary.map(\.rows) == [1, 4, 16, 64, 256, 256, 3])
        #expect(try batches(ColumnChoice(skipped: ["prompt", "completion", "source"])).map(\.rows) == [256, 256, 88])
    }

    @Test("An error about a row names the row")
    func location() throws {
        let error = #expect(throws: DatasetError.self) { try reader(fixture("ultra_train.parquet")).rows(.pairs) }
        #expect(error?.description.contains("ultra_train.parquet, row 1: the row has no \"chosen\"") == true)
    }

    @Test("A file that is cut, encrypted, damaged or no Parquet file is an error that says so")
    func damage() throws {
        let whole = try Array(Data(contentsOf: URL(filePath: fixture("ultra_train.parquet"))))
        var garbled = whole
        for place in 4..<whole.count / 2 { garbled[place] ^= 0x55 }
        var footer = whole
        for place in whole.count - 200..<whole.count - 8 { footer[place] ^= 0x55 }
        let encrypted = Array("PARE".utf8) + whole.dropFirst(4).dropLast(4) + Array("PARE".utf8)
        for (bytes, sentence) in [
            (Array(whole.dropLast(9)), "was cut short"), (Array(whole.prefix(6)), "was cut short"),
            (Array("PAR1PAR1".utf8), "was cut short"), ([], "is no Parquet file"),
            (Array(#"{"prompt":"x"}"#.utf8), "is no Parquet file"), (encrypted, "is encrypted"),
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
            (garbled, "Apache Arrow says: "), (footer, "Apache Arrow says: "),
        ] {
            let path = try directory.write("a.parquet", bytes: bytes)
            let error = #expect(throws: DatasetError.self, "\(sentence)") { try rows(path) }
            #expect(error?.description.contains(sentence) == true, "\(String(describing: error)), not \(sentence)")
        }
    }

    @Test("A file with one wrong byte is read or refused, wherever the byte stands")
    func wrongBytes() throws {
        let whole = try Array(Data(contentsOf: URL(filePath: fixture("ultra_train.parquet"))))
        let isThorough = ProcessInfo.processInfo.environment["RTO_PARQUET_FOLDER"] != nil
        var refused = 0
        for place in stride(from: 0, to: whole.count, by: isThorough ? 1 : 17) {
            for change in isThorough ? [0x01, 0x80, 0xFF] as [UInt8] : [0xFF] {
                var bytes = whole
                bytes[place] ^= change
                let path = try directory.write("a.parquet", bytes: bytes)
                do { _ = try rows(path) } catch is DatasetError { refused += 1 }
            }
        }
        #expect(refused > 20)
    }

    @Test("A file without rows has none, which is an error of the data set")
    func noRows() throws {
        #expect(throws: DatasetError(path: fixture("none.parquet"), .noRows)) {
            try reader(fixture("none.parquet")).prompts()
        }
    }
}

@Suite struct CalendarTextTests {
    @Test("Days and moments are those of the calendar, before 1970 too")
    func dates() {
        for (days, text) in [
            (0, "1970-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (11_016, "2000-02-29"), (19_782, "2024-02-29"),
            (-25_567, "1900-01-01"), (47_541, "2100-03-01"), (-719_528, "0000-01-01"), (-719_529, "-0001-12-31"),
        ] { #expect(CalendarText.date(days) == text) }
        #expect(CalendarText.timestamp(0, unitsPerSecond: 1) == "1970-01-01T00:00:00")
        #expect(CalendarText.timestamp(-1, unitsPerSecond: 1_000) == "1969-12-31T23:59:59.999")
        #expect(
            CalendarText.timestamp(86_399_000_000_100, unitsPerSecond: 1_000_000_000) == "1970-01-01T23:59:59.000000100"
        )
    }
}
