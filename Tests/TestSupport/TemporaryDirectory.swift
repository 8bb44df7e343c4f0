import Foundation

/// A directory of its own for a test, removed with the object.
public final class TemporaryDirectory: Sendable {
    /// The directory.
    public let url: URL

    /// Makes a new empty directory.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "rto-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a text to a file and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, bytes: Array(text.utf8)) }

    /// Writes bytes to a file and returns its path.
    @discardableResult
    public func write(_ name: String, bytes: [UInt8]) throws -> String {
        let file = url.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// The names of what the directory holds, in order.
    public var fileNames: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }
}
