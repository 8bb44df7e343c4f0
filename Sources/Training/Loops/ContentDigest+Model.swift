import Datasets
import Foundation

extension ContentDigest {
    /// The digest of a model directory: of its settings all, and of its weights as much as tells trained weights apart.
    static func model(_ directory: URL) throws -> ContentDigest {
        var digest = ContentDigest()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        for name in names where name.hasSuffix(".safetensors") || name.hasSuffix(".json") {
            digest.add(name.utf8)
            try digest.addSample(of: directory.appending(path: name))
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
