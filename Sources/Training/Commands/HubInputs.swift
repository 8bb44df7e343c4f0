import Configuration
import Datasets
import Foundation
import HTTP
import Hub
import Models
import Synchronization

/// The same configuration with paths on this machine for every model and all data: what exists here as it is, what a hub has as the
/// folder of its snapshot, brought here first.
///
/// Every command does this once, before anything else sees its settings.
///
/// - Parameters:
///   - commits: repositories whose commit is known already, as `organisation/name@commit`
///   - keepsTokens: whether rows may be gone, since a run has kept their tokens; reading says so where it has not
/// - Throws: an error that names the setting, for what is neither here nor on the hub.
public func locatingInputs<Root: Configurable>(
    _ configuration: Root,
    commits: [String] = [],
    keepsTokens: Bool = false
) throws -> Root {
    let locator = InputLocator(commits: commits)
    // A base that is given takes the place of the one that the adapter names.
    let needsBases = (configuration as? MergeConfiguration)?.base == nil
    let located = try configuration.replacingInputs { setting, input, path in
        try locator.path(of: path, input, "--" + setting, withBase: needsBases)
    }
    if !keepsTokens { try located.checkInputs() }
    return located
}

extension Configurable {
    /// Throws where a model, a tokenizer or a file that a setting names does not exist; rows may be one split of a directory.
    public func checkInputs() throws(ConfigurationError) {
        try checkInputs { path, input in
            input == .data ? DatasetSource.exists(path) : FileManager.default.fileExists(atPath: path)
        }
    }
}

/// The same for the directory of a tokenizer alone.
public func locatingTokenizer(_ path: String) throws -> String {
    let located = try InputLocator(commits: []).path(of: path, .tokenizer, "--model", withBase: true)
    guard FileManager.default.fileExists(atPath: located) else {
        throw ConfigurationError.missingInput(setting: "model", path: path)
    }
    return located
}

/// The same configuration with repositories and their commits in the place of the folders where they were found.
///
/// A recipe holds this, so that it means the same on another machine, and when a branch has moved on.
public func namingInputs<Root: Configurable>(_ configuration: Root) -> Root {
    configuration.replacingInputs { _, input, path in
        let (folder, split) = input == .data ? DatasetSource.split(path) ?? (path, nil) : (path, nil)
        return LocatedRepositories.name(of: folder).map { $0.text + (split.map { ":" + $0 } ?? "") } ?? path
    }
}

/// The commits of repositories that no setting names and that models stand on, as the process has found them.
public func hubCommits() -> [String] { InputLocator.bases.withLock { $0.values.map(\.text).sorted() } }

/// Finds what settings name.
private final class InputLocator {
    /// What bases of adapters were found to be.
    static let bases = Mutex<[RepositoryName: RepositoryName]>([:])

    private let commits: [String: String]
    private lazy var hub = Hub()

    init(commits: [String]) {
        let names = commits.compactMap { RepositoryName($0, kind: .model) }
        self.commits = Dictionary(names.map { ($0.id, $0.revision) }) { first, _ in first }
    }

    /// The path of what a setting names.
    func path(of text: String, _ input: SettingInput, _ flag: String, withBase: Bool) throws -> String {
        guard let part = RepositoryPart(input) else { return text }
        let located = try folder(of: text, part, flag)
        if part != .rows, withBase { try locateBase(of: URL(filePath: located), part, flag) }
        return located
    }

    private func folder(of text: String, _ part: RepositoryPart, _ flag: String) throws -> String {
        let isHere = part == .rows ? DatasetSource.exists(text) : FileManager.default.fileExists(atPath: text)
        if isHere { return text }
        let (source, split) = part == .rows ? DatasetSource.split(text) ?? (text, nil) : (text, nil)
        guard let name = RepositoryName(setting: source, kind: part.kind) else { return text }
        let snapshot = try snapshot(of: name, part) { "\(flag): there is no \(source) here, and \($0)" }
        return snapshot.folder.path + (split.map { ":" + $0 } ?? "")
    }

    /// Brings the model that the adapter of a directory stands on, where the directory holds one and names it by a hub's name.
    private func locateBase(of directory: URL, _ part: RepositoryPart, _ flag: String) throws {
        guard let name = try ModelPlace.baseOnHub(of: directory) else { return }
        var wanted = name
        if let commit = commits[name.id], name.text == name.id { wanted.revision = commit }
        let snapshot = try snapshot(of: wanted, part) {
            "\(flag): the base model that the adapter in \(directory.path) names is not here, and \($0)"
        }
        LocatedRepositories.remember(snapshot, as: name)
        Self.bases.withLock { $0[name] = snapshot.name }
    }

    private func snapshot(
        of name: RepositoryName,
        _ part: RepositoryPart,
        _ sentence: (String) -> String
    ) throws -> Snapshot {
        let hub = hub
        do {
            return try waiting { try await hub.snapshot(of: name, part) }
        } catch {
            throw TrainingError(sentence("\(error)"))
        }
    }
}

extension RepositoryPart {
    /// What of a repository a setting wants; nil where it names files here.
    fileprivate init?(_ input: SettingInput) {
        switch input {
        case .model: self = .model
        case .tokenizer: self = .tokenizer
        case .data: self = .rows
        case .file: return nil
        }
    }
}
