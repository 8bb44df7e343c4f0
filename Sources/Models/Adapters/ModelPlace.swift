import Foundation
import Hub

/// A directory that holds a model, or an adapter of a model that lies elsewhere.
public struct ModelPlace {
    /// The directory itself.
    public let directory: URL
    /// The directory of the weights below the adapter; the directory itself where it holds a whole model.
    public let base: URL
    let adapter: AdapterFile?

    /// Whether the directory holds an adapter.
    public var isAdapter: Bool { adapter != nil }
    /// The shape of the adapter, nil where there is none.
    public var settings: AdapterSettings? { adapter?.settings }

    /// Looks at a directory.
    ///
    /// - Parameter base: the base model, in the place of the one that an adapter names
    /// - Throws: `ModelError` for an adapter that cannot be used or whose base is not there.
    public init(_ directory: URL, base: URL? = nil) throws(ModelError) {
        self.directory = directory
        guard Self.holdsAdapter(directory) else {
            adapter = nil
            self.base = directory
            return
        }
        let file = try AdapterFile(directory: directory)
        adapter = file
        self.base = if let base { base } else { try Self.base(file, directory) }
        if Self.holdsAdapter(self.base) {
            throw ModelError(directory.path, "its base \(self.base.path) is an adapter too; merge that one first")
        }
    }

    private static func holdsAdapter(_ directory: URL) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(path: AdapterFile.name).path)
    }

    /// A relative path is one from the adapter's directory, or from the current one.
    private static func base(_ file: AdapterFile, _ directory: URL) throws(ModelError) -> URL {
        if let found = localBase(file, directory) { return found }
        if let name = file.baseOnHub, let snapshot = LocatedRepositories.snapshot(of: name) { return snapshot.folder }
        throw ModelError(
            directory.appending(path: AdapterFile.name).path,
            "base_model_name_or_path is \"\(file.base ?? "")\", where there is no model; write the base model's directory there"
        )
    }

    private static func localBase(_ file: AdapterFile, _ directory: URL) -> URL? {
        guard let name = file.base, !name.isEmpty else { return nil }
        let places =
            name.hasPrefix("/") ? [URL(filePath: name)] : [directory.appending(path: name), URL(filePath: name)]
        let found = places.first { FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path) }
        return found?.standardizedFileURL
    }

    /// The repository of a hub that the adapter of a directory stands on; nil where there is no adapter, or its base is here.
    ///
    /// - Throws: `ModelError` for an adapter that cannot be used.
    public static func baseOnHub(of directory: URL) throws(ModelError) -> RepositoryName? {
        guard holdsAdapter(directory) else { return nil }
        let file = try AdapterFile(directory: directory)
        return localBase(file, directory) == nil ? file.baseOnHub : nil
    }

    /// The names of the files of the directory, and of the base, that end so.
    func files(ending: String) -> [String] {
        let names = [directory, base].flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0.path)) ?? [] }
        return Set(names.filter { $0.hasSuffix(ending) }).sorted()
    }

    /// A file of the directory, or of the base where the directory has none of that name; nil where neither has.
    public func file(_ name: String) -> URL? {
        [directory, base].map { $0.appending(path: name) }.first { FileManager.default.fileExists(atPath: $0.path) }
    }
}
