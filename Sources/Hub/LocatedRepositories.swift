import Foundation
import Synchronization

/// Where this process has found repositories: what was brought for a name stays what it means until the process ends.
public enum LocatedRepositories {
    private struct State {
        var snapshots: [RepositoryName: Snapshot] = [:]
        var names: [String: RepositoryName] = [:]
    }

    private static let state = Mutex(State())

    /// Remembers that a name means a snapshot.
    public static func remember(_ snapshot: Snapshot, as name: RepositoryName) {
        state.withLock { state in
            state.snapshots[name] = snapshot
            state.snapshots[snapshot.name] = snapshot
            state.names[snapshot.folder.standardizedFileURL.path] = snapshot.name
        }
    }

    /// What a name means: what this process has found for it, or what lies in the cache; nobody is asked.
    public static func snapshot(of name: RepositoryName) -> Snapshot? {
        if let snapshot = state.withLock({ $0.snapshots[name] }) { return snapshot }
        let cache = RepositoryCache(name, in: HubSettings().cache)
        guard let commit = cache.commit, FileManager.default.fileExists(atPath: cache.snapshot(commit).path) else {
            return nil
        }
        let snapshot = Snapshot(name: cache.name.at(commit), folder: cache.snapshot(commit))
        remember(snapshot, as: name)
        return snapshot
    }

    /// The repository and commit whose snapshot a folder is, where this process has found it under a name.
    public static func name(of folder: String) -> RepositoryName? {
        state.withLock { $0.names[URL(filePath: folder).standardizedFileURL.path] }
    }
}
