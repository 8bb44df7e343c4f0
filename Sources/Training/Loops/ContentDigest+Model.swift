import Datasets
import Foundation
import Models

extension ContentDigest {
    /// The digest of a model directory, and of the base of an adapter there: of settings all, and of weights as much as tells
    /// trained weights apart.
    static func model(_ directory: URL) throws -> ContentDigest {
        var digest = ContentDigest()
        let place = try ModelPlace(directory)
        for folder in place.isAdapter ? [directory, place.base] : [directory] {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            for name in names where name.hasSuffix(".safetensors") || name.hasSuffix(".json") {
                digest.add(name.utf8)
                try digest.addSample(of: folder.appending(path: name))
            }
        }
        return digest
    }

    /// Adds a file's length, and blocks of it that lie evenly spread: training changes weights everywhere.
    private mutating func addSample(of file: URL) throws {
        let (blockSize, blockCount) = (4096, 64)
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        let length = Int(try handle.seekToEnd())
        add(String(length).utf8)
        let step = max(blockSize, length / blockCount)
        for offset in stride(from: 0, to: length, by: step) {
            try handle.seek(toOffset: UInt64(offset))
            add(try handle.read(upToCount: blockSize) ?? Data())
        }
    }
}
