import Foundation

/// A file or directory of rows, and its share in a mixture of several.
public struct DatasetSource: Sendable, Equatable {
    /// The path of the file or directory.
    public let path: String
    /// The share relative to the other sources' shares, or nil where every row is wanted.
    public let weight: Double?

    /// A source by its parts.
    public init(path: String, weight: Double? = nil) {
        self.path = path
        self.weight = weight
    }

    /// Reads `path` or `path@weight`.
    ///
    /// What stands behind the last `@` is a weight where it is a number, and part of the path otherwise.
    ///
    /// - Throws: `DatasetError` for a weight that is not a positive finite number, and for an empty path.
    public init(parsing text: String) throws(DatasetError) {
        if let separator = text.lastIndex(of: "@"), let weight = Double(text[text.index(after: separator)...]) {
            guard weight > 0, weight.isFinite else { throw DatasetError(path: text, .invalidWeight) }
            self.init(path: String(text[..<separator]), weight: weight)
        } else {
            self.init(path: text)
        }
        guard !path.isEmpty else { throw DatasetError(path: text, .unreadable(reason: "it names no file")) }
    }

    /// The files of the source: itself, or the data files that lie directly in the directory, by name.
    ///
    /// - Throws: `DatasetError` where nothing is there, or a directory holds no file that is read here or one that is read elsewhere.
    func files() throws(DatasetError) -> [DatasetFile] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DatasetError(path: path, .unreadable(reason: "there is no such file or directory"))
        }
        guard isDirectory.boolValue else { return [try DatasetFile(path: path)] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw DatasetError(path: path, .unreadable(reason: "the directory cannot be listed"))
        }
        let paths = names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .map { URL(filePath: path).appending(path: $0).path }
        for path in paths where DatasetFile.isFormatOfOthers(path) {
            throw DatasetError(path: path, .unknownFormat(isKnownToOthers: true))
        }
        let files = paths.compactMap { try? DatasetFile(path: $0) }
        guard !files.isEmpty else { throw DatasetError(path: path, .noFiles) }
        return files
    }
}
