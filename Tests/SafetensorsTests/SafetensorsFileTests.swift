import Foundation
import TestSupport
import Testing

@testable import Safetensors

@Suite struct SafetensorsFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("A file gives its tensors in the order of their bytes, whatever the header's order")
    func reading() throws {
        let header = """
            {"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},\
            "__metadata__":{"format":"pt"},\
            "a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}
            """
        let file = try SafetensorsFile(url: directory.write(header: header, dataByteCount: 11))
        #expect(file.entries.map(\.name) == ["a", "b"])
        #expect(file.metadata == ["format": "pt"])
        let entry = try #require(file.entry(named: "a"))
        #expect(entry == SafetensorsEntry(name: "a", dtype: .float32, shape: [2, 1], byteRange: 0..<8))
        #expect(entry.elementCount == 2)
        #expect(try file.withUnsafeBytes(of: "b") { Array($0) } == [8, 9, 10])
    }

    @Test("A scalar, empty tensors and a header with trailing spaces are valid")
    func edges() throws {
        let header = """
            {"none":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},\
            "one":{"dtype":"I64","shape":[],"data_offsets":[0,8]},\
            "last":{"dtype":"BF16","shape":[4,0],"data_offsets":[8,8]}}     
            """
        let file = try SafetensorsFile(url: directory.write(header: header, dataByteCount: 8))
        #expect(file.entries.map(\.name) == ["none", "one", "last"])
        #expect(file.entries.map(\.elementCount) == [0, 1, 0])
        #expect(try SafetensorsFile(url: directory.write("empty", header: "{}")).entries.isEmpty)
    }

    @Test("Names that differ only by Unicode normalisation are two tensors")
    func canonicalEquivalence() throws {
        let header = """
            {"\u{E9}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
            "e\u{301}":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}
            """
        let file = try SafetensorsFile(url: directory.write(header: header, dataByteCount: 2))
        #expect(try file.withUnsafeBytes(of: "\u{E9}") { Array($0) } == [0])
        #expect(try file.withUnsafeBytes(of: "e\u{301}") { Array($0) } == [1])
    }

    @Test(
        "The pages of a tensor that was read are no longer this process's, and come again",
        .enabled(if: FileManager.default.isReadableFile(atPath: "/proc/self/smaps"), "no account of mapped pages here")
    )
    func releasedPages() throws {
        let count = 4 << 20
        let header = #"{"a":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}}"#
        let file = try SafetensorsFile(url: directory.write(header: header, dataByteCount: count))
        // A byte of each page, not always the same one.
        func sum(_ bytes: UnsafeRawBufferPointer) -> Int {
            stride(from: 0, to: count, by: 4095).reduce(0) { $0 + Int(bytes[$1]) }
        }
        let (expected, resident) = try file.withUnsafeBytes(of: "a") { bytes in
            (sum(bytes), try residentKilobytes(of: file.url))
        }
        #expect(resident > 1024)
        // The header and the pages at both ends stay.
        #expect(try residentKilobytes(of: file.url) < 256)
        #expect(try file.withUnsafeBytes(of: "a", sum) == expected)
    }

    /// Kilobytes of a mapped file that this process holds.
    private func residentKilobytes(of file: URL) throws -> Int {
        // The kernel writes where the file is, whatever links led there.
        let place = file.pathComponents.suffix(2).joined(separator: "/")
        // Read to its end: the file says that it is empty.
        let account = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/smaps")).readToEnd() ?? Data()
        let lines = String(decoding: account, as: UTF8.self).split(separator: "\n")
        let start = try #require(lines.firstIndex { $0.hasSuffix(place) })
        let line = try #require(lines[start...].first { $0.hasPrefix("Rss:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    @Test("A missing tensor, a missing file, a directory and a pipe are errors")
    func notThere() throws {
        let file = try SafetensorsFile(url: directory.write(header: "{}"))
        #expect(throws: SafetensorsError(path: file.url.path, tensor: "x", .noSuchTensor)) {
            try file.withUnsafeBytes(of: "x") { _ in }
        }
        let missing = directory.url.appending(path: "missing")
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(url: missing) }
        #expect(error?.description == "\(missing.path) could not be opened: No such file or directory.")
        #expect(throws: SafetensorsError(path: directory.url.path, .notAFile)) {
            try SafetensorsFile(url: directory.url)
        }
        let pipe = directory.url.appending(path: "pipe")
        try #require(mkfifo(pipe.path, 0o600) == 0)
        #expect(throws: SafetensorsError(path: pipe.path, .notAFile)) { try SafetensorsFile(url: pipe) }
    }
}

@Suite struct HostileSafetensorsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Opens a file and returns the problem that it is refused for.
    private func problem(
        header: String,
        length: UInt64? = nil,
        dataByteCount: Int = 0
    ) throws -> SafetensorsError.Problem? {
        let url = try directory.write(header: header, length: length, dataByteCount: dataByteCount)
        return #expect(throws: SafetensorsError.self) { try SafetensorsFile(url: url) }?.problem
    }

    private func tensor(_ name: String, _ dtype: String, _ shape: String, _ offsets: String) -> String {
        "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
    }

    @Test("A header length beyond the file, the format or a signed number is refused")
    func headerLengths() throws {
        #expect(try problem(header: "{}", length: 1 << 60) == .headerLength(1 << 60, limit: 2))
        #expect(try problem(header: "{}", length: .max) == .headerLength(.max, limit: 2))
        #expect(try problem(header: "{}", length: 3) == .headerLength(3, limit: 2))
        let long = UInt64(SafetensorsHeader.longestByteCount) + 1
        let url = try directory.write("long", header: "{}", length: long)
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: long + 8)
        try handle.close()
        #expect(throws: SafetensorsError(path: url.path, .headerLength(long, limit: Int(long) - 1))) {
            try SafetensorsFile(url: url)
        }
    }

    @Test("A file cut anywhere is refused")
    func truncation() throws {
        let header = "{\(tensor("a", "F32", "[2]", "[0,8]"))}"
        let whole = try Data(contentsOf: directory.write(header: header, dataByteCount: 8))
        for count in 0..<whole.count {
            let url = URL(filePath: try directory.write("cut", bytes: Array(whole.prefix(count))))
            #expect(throws: SafetensorsError.self, "cut at \(count)") { try SafetensorsFile(url: url) }
        }
        let url = URL(filePath: try directory.write("cut", bytes: Array(whole.dropLast())))
        #expect(throws: SafetensorsError(path: url.path, tensor: "a", .outsideFile(end: 8, dataByteCount: 7))) {
            try SafetensorsFile(url: url)
        }
    }

    @Test("A header that is no JSON object in UTF-8 is refused")
    func headerText() throws {
        for header in ["[]", " {}", "{", "{}}", "{\"a\":}", "\u{FEFF}{}"] {
            guard case .headerNotJSON? = try problem(header: header) else {
                Issue.record("\(header) was refused for another reason")
                continue
            }
        }
        let bytes: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8) + [0xFF, 0xFE] + Array("\":0}".utf8)
        let url = URL(filePath: try directory.write("latin", bytes: bytes))
        guard
            case .headerNotJSON? = #expect(
                throws: SafetensorsError.self,
                performing: { try SafetensorsFile(url: url) }
            )?.problem
        else {
            Issue.record("a header that is not UTF-8 was read")
            return
        }
    }

    @Test("Deep nesting and duplicate names are refused")
    func structure() throws {
        let deep = "{\"a\":" + String(repeating: "[", count: 100_000) + "}"
        guard case .headerNotJSON? = try problem(header: deep) else {
            Issue.record("deep nesting was read")
            return
        }
        let twice = "{\(tensor("a", "U8", "[1]", "[0,1]")),\(tensor("a", "U8", "[1]", "[1,2]"))}"
        guard case .headerNotJSON(let reason)? = try problem(header: twice, dataByteCount: 2) else {
            Issue.record("a duplicate name was read")
            return
        }
        #expect(reason.contains("twice"))
    }

    @Test(
        "Entries of a wrong form are refused",
        arguments: [
            "0", "null", "[]", "{}", "{\"dtype\":\"U8\"}", "{\"dtype\":\"U8\",\"shape\":[1]}",
            "{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}",
            "{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}",
            "{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}",
            "{\"dtype\":\"U8\",\"shape\":[18446744073709551617],\"data_offsets\":[0,1]}",
            "{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}",
            "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}",
            "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}",
            "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}",
            "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}",
            "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,9223372036854775808]}",
        ]
    )
    func malformedEntries(entry: String) throws {
        guard case .malformed? = try problem(header: "{\"a\":\(entry)}", dataByteCount: 1) else {
            Issue.record("\(entry) was refused for another reason")
            return
        }
    }

    @Test("Unknown types, overflowing shapes and sizes that do not match are refused")
    func sizes() throws {
        #expect(
            try problem(header: "{\(tensor("a", "F128", "[1]", "[0,16]"))}", dataByteCount: 16) == .unknownDType("F128")
        )
        #expect(try problem(header: "{\(tensor("a", "F4", "[2]", "[0,1]"))}", dataByteCount: 1) == .unknownDType("F4"))
        let huge = [1 << 32, 1 << 32]
        #expect(
            try problem(header: "{\(tensor("a", "U8", "\(huge)", "[0,0]"))}") == .shapeOverflow(.uint8, huge)
        )
        #expect(
            try problem(header: "{\(tensor("a", "F64", "[\(1 << 60)]", "[0,0]"))}")
                == .shapeOverflow(.float64, [1 << 60])
        )
        #expect(
            try problem(header: "{\(tensor("a", "F32", "[2,3]", "[0,20]"))}", dataByteCount: 20)
                == .byteCount(found: 20, expected: 24, .float32, [2, 3])
        )
    }

    @Test("Tensors outside the file, overlapping ones, holes and bytes left over are refused")
    func places() throws {
        let first = tensor("a", "U8", "[4]", "[0,4]")
        #expect(try problem(header: "{\(first)}", dataByteCount: 3) == .outsideFile(end: 4, dataByteCount: 3))
        let far = Int.max - 3
        #expect(
            try problem(header: "{\(tensor("a", "U8", "[3]", "[\(far),\(Int.max)]"))}", dataByteCount: 3)
                == .outsideFile(end: .max, dataByteCount: 3)
        )
        let overlapping = "{\(first),\(tensor("b", "U8", "[4]", "[2,6]"))}"
        #expect(try problem(header: overlapping, dataByteCount: 6) == .overlap(with: "a"))
        let same = "{\(first),\(tensor("b", "U8", "[4]", "[0,4]"))}"
        #expect(try problem(header: same, dataByteCount: 4) == .overlap(with: "a"))
        let hole = "{\(first),\(tensor("b", "U8", "[1]", "[6,7]"))}"
        #expect(try problem(header: hole, dataByteCount: 7) == .hole(4..<6))
        #expect(try problem(header: "{\(first)}", dataByteCount: 9) == .hole(4..<9))
        #expect(try problem(header: "{}", dataByteCount: 1) == .hole(0..<1))
    }

    @Test("Metadata that is not an object of strings is refused", arguments: ["null", "[]", "\"x\"", "{\"a\":1}"])
    func metadata(value: String) throws {
        guard case .malformed(field: "__metadata__", _)? = try problem(header: "{\"__metadata__\":\(value)}") else {
            Issue.record("\(value) was refused for another reason")
            return
        }
    }

    @Test("An error is one line that names file, tensor, what was found and what was expected")
    func description() throws {
        let url = try directory.write(
            header: "{\(tensor("a\\nb", "F32", "[2,3]", "[0,20]"))}",
            dataByteCount: 20
        )
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(url: url) }
        #expect(
            error?.description
                == "\(url.path): tensor \"a\\nb\" has data_offsets 20 bytes apart, but F32 of shape [2, 3] takes 24."
        )
    }
}
