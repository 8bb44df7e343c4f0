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
///   - commits: what models' names stand for as a recipe records it, see `Recipe.hubCommits`; they are not asked for again
///   - keepsTokens: whether rows may be gone, since a run has kept their tokens; reading says so where it has not
/// - Throws: an error that names the setting, for what is neither here nor on the hub.
public func locatingInputs<Root: Configurable>(
    _ configuration: Root,
    commits: [String] = [],
    keepsTokens: Bool = false
) throws -> Root {
    let locator = try InputLocator(commits: commits, keepsTokens: keepsTokens)
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
    let located = try InputLocator(commits: [], keepsTokens: false).path(
        of: path,
        .tokenizer,
        "--model",
        withBase: true
    )
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

/// What names of models stand for that no setting holds, as the process has found them, see `Recipe.hubCommits`.
public func hubCommits() -> [String] {
    InputLocator.bases.withLock { bases in
        bases.compactMap { name, commit in name.revision == commit ? nil : "\(name.text)@\(commit)" }.sorted()
    }
}

/// What a report calls a model: its repository and commit where it came from a hub, else its path.
public func reportedName(_ path: String) -> String { LocatedRepositories.name(of: path)?.text ?? path }

/// What requests call a model: its repository where it came from a hub, else its directory's name.
func servedName(_ path: String) -> String {
    LocatedRepositories.name(of: path)?.id ?? URL(filePath: path).standardizedFileURL.lastPathComponent
}

/// What a model is called for short: as requests call it, without the organisation.
public func shortName(_ path: String) -> String { URL(filePath: servedName(path)).lastPathComponent }

/// Finds what settings name.
private final class InputLocator {
    /// The commits that the bases of adapters were found to have.
    static let bases = Mutex<[RepositoryName: String]>([:])
    /// One for the whole process, so that a name stands for one commit in all of it.
    private static let hub = Hub()

    private let commits: [RepositoryName: String]
    private let keepsTokens: Bool

    init(commits: [String], keepsTokens: Bool) throws {
        let pairs = try commits.map { text -> (RepositoryName, String) in
            let mark = text.lastIndex(of: "@") ?? text.endIndex
            guard let name = RepositoryName(String(text[..<mark]), kind: .model),
                let whole = RepositoryName(name.id + text[mark...], kind: .model), whole.isCommit
            else {
                throw TrainingError(
                    "hub_commits: '\(text)' is no name with a commit behind an @; is the recipe damaged?"
                )
            }
            return (name, whole.revision)
        }
        self.commits = Dictionary(pairs) { _, last in last }
        self.keepsTokens = keepsTokens
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
        if split != nil, FileManager.default.fileExists(atPath: source) { return text }
        guard let name = RepositoryName(setting: source, kind: part.kind) else {
            if let directory = RepositoryName.directory(before: source), part != .rows || !keepsTokens {
                throw TrainingError(
                    "\(flag): there is no \(source), and the directory \(directory) is here; write \(source)@main for the hub's "
                        + "repository"
                )
            }
            return text
        }
        if let commit = commits[name] {
            note(
                "\(flag): \(name.text) is taken in the commit \(commit.prefix(12)) that the recipe records of that name"
            )
        }
        let snapshot = try snapshot(of: name, part) {
            "\(flag): there is no file or directory \(source) here, and \($0)"
        }
        return snapshot.folder.path + (split.map { ":" + $0 } ?? "")
    }

    /// Brings the model that the adapter of a directory stands on, where the directory holds one and names it by a hub's name.
    private func locateBase(of directory: URL, _ part: RepositoryPart, _ flag: String) throws {
        guard let name = try ModelPlace.baseOnHub(of: directory) else { return }
        let snapshot = try snapshot(of: name, part) {
            "\(flag): the base model that the adapter in \(directory.path) names is not here, and \($0)"
        }
        Self.bases.withLock { $0[name] = snapshot.name.revision }
    }

    private func snapshot(
        of name: RepositoryName,
        _ part: RepositoryPart,
        _ sentence: (String) -> String
    ) throws -> Snapshot {
        var recorded = name
        if let commit = commits[name] { recorded.revision = commit }
        let wanted = recorded
        do {
            let snapshot = try waiting { try await Self.hub.snapshot(of: wanted, part) }
            LocatedRepositories.remember(snapshot, as: name)
            return snapshot
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
