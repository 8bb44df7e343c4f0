import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ZstandardTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// `{"n":1}` and a newline, compressed by zstd, with a checksum behind.
    private let frame: [UInt8] = [
        0x28, 0xB5, 0x2F, 0xFD, 0x04, 0x48, 0x41, 0x00, 0x00, 0x7B, 0x22, 0x6E, 0x22, 0x3A, 0x31, 0x7D, 0x0A, 0x33,
        0x15, 0x9B, 0x3C,
    ]
    /// A frame that holds nothing, and one that readers pass over.
    private let empty: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x00, 0x01, 0x00, 0x00, 0x99, 0xE9, 0xD8, 0x51]
    private let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0x03, 0x00, 0x00, 0x00, 1, 2, 3]

    private func rows(_ bytes: [UInt8], _ name: String = "a.jsonl.zst") throws -> Int {
        var count = 0
        try DatasetFile(path: directory.write(name, bytes: bytes)).forEachRow { (row) throws(DatasetError) in
            #expect(try row.parsed().object["n"] == 1)
            count += 1
        }
        return count
    }

    @Test("A compressed file is read, of one frame or of several, empty ones and comments among them")
    func frames() throws {
        #expect(try rows(frame) == 1)
        #expect(try rows(frame, "a.json.zst") == 1)
        #expect(try rows(frame + frame + empty + skippable + frame) == 3)
        #expect(try rows(empty) == 0)
    }

    @Test("A compressed file that is cut, damaged or none is an error that says so")
    func damage() throws {
        var flipped = frame
        flipped[11] ^= 1
        for (bytes, sentence) in [
            (Array(frame.dropLast()), "end too early"), (Array(frame.prefix(12)), "end too early"),
            ([], "end too early"),
            (frame + frame.prefix(3), "end too early"), ([0x7B, 0x7D, 0x0A, 0x0A, 0x0A], "are damaged"),
            (frame + [1, 2, 3, 4, 5], "are damaged"), (flipped, "are damaged"),
        ] {
            let error = #expect(throws: DatasetError.self, "\(bytes)") { try rows(bytes) }
            #expect(
                error?.description.contains("its Zstandard data \(sentence)") == true,
                "\(String(describing: error))"
            )
        }
    }
}
