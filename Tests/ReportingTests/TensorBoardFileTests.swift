import Digests
import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite("Event files for TensorBoard")
struct TensorBoardFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The records of a file, each checked as the format wants it.
    private func records(_ file: TensorBoardFile) throws -> [[UInt8]] {
        let bytes = [UInt8](try Data(contentsOf: file.url))
        func number(_ start: Int, _ count: Int) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * $1) }
        }
        func masked(_ range: Range<Int>) -> UInt64 {
            let check = CRC32C.checksum(bytes[range])
            return UInt64((check >> 15 | check << 17) &+ 0xA282_EAD8)
        }
        var records: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let count = Int(number(start, 8))
            try #require(number(start + 8, 4) == masked(start..<start + 8))
            try #require(number(start + 12 + count, 4) == masked(start + 12..<start + 12 + count))
            records.append(Array(bytes[start + 12..<start + 12 + count]))
            start += 16 + count
        }
        return records
    }

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
