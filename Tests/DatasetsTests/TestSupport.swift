import Foundation
import JSONText

/// A directory of its own for a test, removed with the object.
final class TemporaryDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "datasets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, bytes: Array(text.utf8)) }

    @discardableResult
    func write(_ name: String, bytes: [UInt8]) throws -> String {
        let file = url.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
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
