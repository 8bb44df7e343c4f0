import Foundation

/// A directory of its own for a test, removed with the object.
final class TemporaryDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "safetensors-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file from the parts of the format: the header's length (its true one unless given), the header and the data.
    func write(
        _ name: String = "tensors.safetensors",
        header: String,
        length: UInt64? = nil,
        dataByteCount: Int = 0
    ) throws -> URL {
        let text = Array(header.utf8)
        let head = Swift.withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian, Array.init)
        return try write(name, bytes: head + text + (0..<dataByteCount).map { UInt8(truncatingIfNeeded: $0) })
    }

    func write(_ name: String, bytes: [UInt8]) throws -> URL {
        let file = url.appending(path: name)
        try Data(bytes).write(to: file)
        return file
    }

    var fileNames: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}

/// The directory of recorded fixtures: `$RTO_SHARED`, else `../shared` beside the package.
let sharedDirectory: URL? = {
    if let path = ProcessInfo.processInfo.environment["RTO_SHARED"] { return URL(filePath: path) }
    var directory = URL(filePath: #filePath).deletingLastPathComponent()
    while directory.path != "/" {
        let shared = directory.appending(path: "../shared").standardizedFileURL
        let isRoot = FileManager.default.fileExists(atPath: directory.appending(path: "Package.swift").path)
        if isRoot { return FileManager.default.fileExists(atPath: shared.path) ? shared : nil }
        directory.deleteLastPathComponent()
    }
    return nil
}()

let sharedFixturesArePresent = sharedDirectory != nil
