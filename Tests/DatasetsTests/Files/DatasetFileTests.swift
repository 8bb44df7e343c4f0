import Foundation
import JSONText
import TestSupport
import Testing

@testable import Datasets

@Suite struct DatasetFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The lines and the `n` of all rows.
    private func rows(_ path: String) throws -> [[Int]] {
        var rows: [[Int]] = []
        try DatasetFile(path: path).forEachRow { (unparsed) throws(DatasetError) in
            let row = try unparsed.parsed()
            rows.append([row.location.line, row.object["n"]?.integer ?? -1])
        }
        return rows
    }

    private func problem(_ path: String) -> DatasetError? {
        #expect(throws: DatasetError.self) { try rows(path) }
    }

    @Test("Lines are rows; blank ones, a byte-order mark and Windows line ends are no harm")
    func lines() throws {
        let text = "\u{FEFF}{\"n\":1}\r\n\n   \n{\"n\":2}\r\n{\"n\":3}"
        #expect(try rows(directory.write("a.jsonl", text)) == [[1, 1], [4, 2], [5, 3]])
        #expect(try rows(directory.write("empty.jsonl", "")) == [])
    }

    @Test("A list gives its elements, each with the line on which it begins")
    func list() throws {
        let text = " \n[ {\"n\":1,\n\"s\":\"]},[{\\\"\"},\n\n  {\"n\":2, \"a\":[[{}]]}\n , {\"n\":3}]\n"
        #expect(try rows(directory.write("a.json", text)) == [[2, 1], [5, 2], [6, 3]])
        #expect(try rows(directory.write("none.json", " [ ] ")) == [])
        #expect(try rows(directory.write("lines.json", "{\"n\":1}\n{\"n\":2}\n")) == [[1, 1], [2, 2]])
    }

    @Test("A list that is cut, torn or followed by more is an error with its line")
    func tornList() throws {
        for (text, line) in [
            ("[{\"n\":1},\n", 2), ("[{\"n\":1}", 1), ("[\n{\"n\":1},\n]", 3), ("[,{}]", 1), ("[{}]\n{}", 2), ("[{}", 1),
        ] {
            let error = problem(try directory.write("a.json", text))
            #expect(error?.line == line, "\(text)")
            guard case .notJSON? = error?.problem else {
                Issue.record("\(text) gave \(String(describing: error))")
                continue
            }
        }
    }

    @Test("A row that is no JSON object is an error with its line")
    func badRows() throws {
        #expect(problem(try directory.write("a.jsonl", "{}\n[1]\n"))?.problem == .notAnObject(found: "an array"))
        let error = problem(try directory.write("a.jsonl", "{}\n{\"a\":tru}\n"))
        #expect(error?.line == 2)
        #expect(error?.description.contains("a.jsonl:2: the row is not valid JSON: column 6") == true)
        #expect(problem(try directory.write("b.json", "[{},\n{\"a\":\n}]"))?.line == 3)
        #expect(problem(try directory.write("c.jsonl", bytes: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x30, 0x7D]))?.line == 1)
    }

    @Test("Rows longer than a piece of the file are read whole, and rows that straddle pieces too")
    func longRows() throws {
        let long = String(repeating: "x", count: 3 << 20)
        let text = (0..<20_000).map { "{\"n\":\($0),\"t\":\"\($0 == 7 ? long : "some words to fill the line")\"}\n" }
            .joined()
        for name in ["a.jsonl", "a.json"] {
            let text = name == "a.json" ? "[" + text.dropLast().replacing("\n", with: ",\n") + "]" : text
            #expect(try rows(directory.write(name, text)) == (0..<20_000).map { [$0 + 1, $0] })
        }
    }

    @Test("Files of forms that are not read are refused by name")
    func formats() throws {
        for name in ["a.arrow", "a.jsonl.bz2", "a.csv", "a.csv.gz", "a.parquet.zst"] {
            #expect(problem(try directory.write(name, "x"))?.problem == .unknownFormat(isKnownToOthers: true))
        }
        #expect(problem(try directory.write("a.txt", "x"))?.problem == .unknownFormat(isKnownToOthers: false))
        guard case .unreadable? = problem(directory.url.appending(path: "missing.jsonl").path)?.problem else {
            Issue.record("a missing file was read")
            return
        }
    }
}

@Suite struct GzipTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// `{"n":1}` and a newline, compressed by gzip.
    private let member: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0xCA, 0x53, 0xB2, 0x32, 0xAC, 0xE5,
        0x02,
        0x00, 0x93, 0x11, 0xBE, 0x85, 0x08, 0x00, 0x00, 0x00,
    ]

    private func rows(_ bytes: [UInt8]) throws -> Int {
        var count = 0
        try DatasetFile(path: directory.write("a.jsonl.gz", bytes: bytes)).forEachRow { (row) throws(DatasetError) in
            #expect(try row.parsed().object["n"] == 1)
            count += 1
        }
        return count
    }

    @Test("A compressed file is read, of one member or of several")
    func members() throws {
        #expect(try rows(member) == 1)
        #expect(try rows(member + member + member) == 3)
    }

    @Test("A compressed file that is cut, damaged or none is an error")
    func damage() throws {
        for bytes in [Array(member.dropLast()), Array(member.prefix(12)), [], [0x7B, 0x7D], member + [1, 2, 3]] {
            #expect(throws: DatasetError.self) { try rows(bytes) }
        }
        var flipped = member
        flipped[22] ^= 1
        #expect(throws: DatasetError.self) { try rows(flipped) }
    }
}

@Suite struct DatasetSourceTests {
    @Test("A split stands behind the last colon, and is no path")
    func splits() {
        for (text, directory, split) in [
            ("data:train", "data", "train"), ("a:b:test_prefs", "a:b", "test_prefs"), ("data", nil, nil),
            ("data:", nil, nil), (":train", nil, nil), ("a:b/c", nil, nil),
        ] as [(String, String?, String?)] {
            let found = DatasetSource.split(text)
            #expect(found?.directory == directory && found?.split == split, "\(text)")
        }
    }
}
