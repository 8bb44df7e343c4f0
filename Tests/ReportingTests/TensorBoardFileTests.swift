import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("Event files for TensorBoard")
struct TensorBoardFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func records(_ file: TensorBoardFile) throws -> [[UInt8]] { try EventFile.messages(file.url) }

    @Test("the first record, byte for byte as TensorFlow's writer makes it") func firstRecord() {
        let record = TensorBoardEvent(wallTime: 1, step: 0, content: .fileVersion).record
        let message: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 16, 0, 0x1A, 13] + Array("brain.Event:2".utf8)
        #expect(Array(record[..<8]) == [26, 0, 0, 0, 0, 0, 0, 0] && Array(record[12..<38]) == message)
        // What the Python package writes around the same message.
        #expect(Array(record[8..<12]) == [0x12, 0x9B, 0xD8, 0x2D] && Array(record[38...]) == [0xCC, 0x31, 0x4E, 0x92])
    }

    @Test("numbers are fields of a summary, in single precision; a negative step takes ten bytes") func scalars() {
        let scalars = [(tag: "a/b", value: 0.5), (tag: "c", value: Double.nan), (tag: "d", value: 1e300)]
        let record = TensorBoardEvent(wallTime: 0, step: 300, content: .scalars(scalars)).record
        let values: [UInt8] =
            [0x0A, 10, 0x0A, 3] + Array("a/b".utf8) + [0x15, 0, 0, 0, 0x3F]
            + [0x0A, 8, 0x0A, 1, UInt8(ascii: "c"), 0x15, 0, 0, 0xC0, 0x7F]
            + [0x0A, 8, 0x0A, 1, UInt8(ascii: "d"), 0x15, 0, 0, 0x80, 0x7F]
        let message: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0xAC, 2, 0x2A, 32] + values
        #expect(Array(record[12..<record.count - 4]) == message)
        var number = ProtocolBufferMessage()
        number.add(whole: -1, field: 2)
        #expect(number.bytes == [16] + [UInt8](repeating: 0xFF, count: 9) + [1])
    }

    @Test("a later file of the same run sorts behind the earlier ones and begins with what is void") func continuation()
        throws
    {
        let first = try TensorBoardFile(directory: directory.url)
        try first.append(text: "    a: 1\n", tag: "recipe", step: 0)
        try first.append(scalars: [("loss", 1)], step: 1)
        let second = try TensorBoardFile(directory: directory.url, goingOnAfter: 7)
        let third = try TensorBoardFile(directory: directory.url, goingOnAfter: 9)
        #expect(!first.isContinuation && second.isContinuation && third.isContinuation)
        let names = [first, second, third].map(\.url.lastPathComponent)
        #expect(try directory.fileNames == names && names.allSatisfy { $0.hasPrefix("events.out.tfevents.") })
        #expect(try records(first).count == 4)
        for (file, step) in [(first, 1), (second, 8), (third, 10)] as [(TensorBoardFile, UInt8)] {
            let beginning = try records(file).prefix(2).map { Array($0.dropFirst(9)) }
            #expect(beginning == [[16, step, 0x1A, 13] + Array("brain.Event:2".utf8), [16, step, 0x3A, 2, 8, 1]])
        }
    }

    @Test("names that no run of this program leaves do not stand in the way") func strangeNames() throws {
        for ending in ["9223372036854775807", "9999999999", "99999999999", "18446744073709551616", "x", ""] {
            try directory.write("events.out.tfevents." + ending, "")
        }
        let file = try TensorBoardFile(directory: directory.url)
        #expect(try file.isContinuation && (1_700_000_000..<9_999_999_999).contains(second(file)))
        try directory.write("events.out.tfevents.5000000000.host", "")
        #expect(try second(TensorBoardFile(directory: directory.url)) == 5_000_000_001)
    }

    private func second(_ file: TensorBoardFile) throws -> Int {
        try #require(Int(file.url.lastPathComponent.split(separator: ".")[3]))
    }

    @Test("every record is on its way when it has been written; a place that takes none is named") func places() throws
    {
        let file = try TensorBoardFile(directory: directory.url)
        for step in 1...3 {
            try file.append(scalars: [("loss", Double(step))], step: step)
            #expect(try records(file).count == step + 2)
        }
        let missing = directory.url.appending(path: "missing")
        let error = #expect(throws: ReportingError.self) { try TensorBoardFile(directory: missing) }
        #expect(error?.description.contains("missing/events.out.tfevents.") == true)
    }
}
