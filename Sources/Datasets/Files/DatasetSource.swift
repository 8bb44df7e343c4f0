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

    /// The directory and the split of `directory:split`; nil where the text is not of this form.
    public static func split(_ text: String) -> (directory: String, split: String)? {
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else { return nil }
        let split = String(text[text.index(after: colon)...])
        return split.isEmpty || split.contains("/") ? nil : (String(text[..<colon]), split)
    }

    /// Whether a path, or the directory of one with a split behind it, is there.
    public static func exists(_ path: String) -> Bool { place(path) != .absent }

    /// The files of the source: itself, or the data files of a directory and of one split.
    ///
    /// Behind a directory's path a colon names the split that is wanted: `data/ultrafeedback:train_prefs`.
    ///
    /// - Throws: `DatasetError` where nothing is there, and for a directory that `DataDirectory` refuses.
    func files() throws(DatasetError) -> [DatasetFile] {
        switch Self.place(path) {
        case .directory(let directory, let split): return try DataDirectory(directory).files(of: split)
        case .file(_, split: nil): return [try DatasetFile(path: path)]
        case .file(let file, _):
            throw DatasetError(path: file, .inconsistent("it is a file, and only a directory has splits"))
        case .absent: throw DatasetError(path: path, .unreadable(reason: "there is no such file or directory"))
        }
    }

    /// The files that would belong to the source beside some that did: of a directory those of the same splits, and none where nothing
    /// is there.
    ///
    /// - Throws: `DatasetError` where a directory cannot be listed.
    func paths(besides known: Set<String>) throws(DatasetError) -> [String] {
        switch Self.place(path) {
        case .directory(let directory, _): return try DataDirectory(directory).paths(besides: known)
        case .file(let file, _): return [file]
        case .absent: return []
        }
    }

    private enum Place: Equatable {
        case absent
        case file(String, split: String?)
        case directory(String, split: String?)
    }

    /// What is there; a path with a colon in it is a path where it exists.
    private static func place(_ text: String) -> Place {
        let places: [(path: String, split: String?)] =
            [(text, nil)] + (split(text).map { [($0.directory, $0.split)] } ?? [])
        for (path, split) in places {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { continue }
            return isDirectory.boolValue ? .directory(path, split: split) : .file(path, split: split)
        }
        return .absent
    }
}
