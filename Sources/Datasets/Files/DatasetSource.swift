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

    /// The files of the source: itself, or the data files of a directory and of one split.
    ///
    /// Behind a directory's path a colon names the split that is wanted: `data/ultrafeedback:train_prefs`.
    ///
    /// - Throws: `DatasetError` where nothing is there, and for a directory that `DataDirectory` refuses.
    func files() throws(DatasetError) -> [DatasetFile] {
        switch Self.kind(path) {
        case .directory: return try DataDirectory(path).files(of: nil)
        case .file: return [try DatasetFile(path: path)]
        case .absent: break
        }
        guard let colon = path.lastIndex(of: ":") else { throw Self.absent(path) }
        let (directory, split) = (String(path[..<colon]), String(path[path.index(after: colon)...]))
        switch Self.kind(directory) {
        case .directory: return try DataDirectory(directory).files(of: split)
        case .file: throw DatasetError(path: directory, .inconsistent("it is a file, and only a directory has splits"))
        case .absent: throw Self.absent(path)
        }
    }

    /// The files that would belong to the source beside some that did: of a directory those of the same splits, and none where nothing
    /// is there.
    ///
    /// - Throws: `DatasetError` where a directory cannot be listed.
    func paths(besides known: Set<String>) throws(DatasetError) -> [String] {
        for directory in [path] + (path.lastIndex(of: ":").map { [String(path[..<$0])] } ?? []) {
            switch Self.kind(directory) {
            case .directory: return try DataDirectory(directory).paths(besides: known)
            case .file: return [directory]
            case .absent: break
            }
        }
        return []
    }

    private enum Kind { case absent, file, directory }

    private static func kind(_ path: String) -> Kind {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return .absent }
        return isDirectory.boolValue ? .directory : .file
    }

    private static func absent(_ path: String) -> DatasetError {
        DatasetError(path: path, .unreadable(reason: "there is no such file or directory"))
    }
}
