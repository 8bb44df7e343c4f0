import Foundation
import HTTP
import Synchronization

/// Brings repositories of a hub to this machine: from the cache that all of Hugging Face's programs share, else from the server.
public final class Hub: Sendable {
    let settings: HubSettings
    let questions: HTTPClient
    /// Asks where the cache can serve, so that nobody waits long.
    let quickQuestions: HTTPClient
    let downloads: HTTPClient
    let write: @Sendable (String) -> Void
    let isTerminal: Bool
    /// What names were found to stand for; within one process a name stands for one commit, whatever becomes of its branch.
    private let commits = Mutex<[RepositoryName: String]>([:])

    /// A hub.
    ///
    /// - Parameters:
    ///   - http: how patiently the server is called
    ///   - isTerminal: whether what is written appears on a terminal, where a line can be overwritten
    ///   - write: where progress and remarks go; standard error unless told otherwise
    public init(
        _ settings: HubSettings = HubSettings(),
        http: HTTPSettings = HTTPSettings(),
        isTerminal: Bool = isatty(STDERR_FILENO) == 1,
        write: (@Sendable (String) -> Void)? = nil
    ) {
        self.settings = settings
        var patience = http
        patience.stallTimeOut = settings.stallTimeOut
        downloads = HTTPClient(patience)
        patience.timeOut = settings.answerTimeOut
        // Nobody should wait long to learn that no connection comes about.
        patience.connectionAttempts = 3
        questions = HTTPClient(patience)
        patience.timeOut = settings.quickAnswerTimeOut
        patience.connectionAttempts = 1
        patience.attempts = min(patience.attempts, 2)
        patience.patience = min(patience.patience, 2)
        quickQuestions = HTTPClient(patience)
        self.isTerminal = isTerminal
        // Standard error may be closed or full, which is no reason to stop.
        self.write = write ?? { try? FileHandle.standardError.write(contentsOf: Data($0.utf8)) }
    }

    /// The folder of a repository's snapshot that holds a part of it whole, brought here where it is not yet.
    ///
    /// A commit that is whole in the cache is used as it is. What a branch or tag stands for is asked of the server, once; where that
    /// fails, what it stood for last is used, if that is whole, and a line says so. Where the cache can serve, a server that is
    /// unwell is not waited for.
    ///
    /// - Throws: ``HubError`` with what is wrong and what to do, and `SafetensorsError` for a model without weights that can be read.
    public func snapshot(of name: RepositoryName, _ part: RepositoryPart) async throws -> Snapshot {
        let cache = RepositoryCache(name, in: settings.cache, avoidsLinks: settings.avoidsLinks)
        if settings.isOffline { return try offline(cache, part) }
        let wanted = commits.withLock { $0[name] }.map(name.at) ?? name
        if wanted.isCommit, try CachedSnapshot(cache, wanted.revision, part).state == .whole {
            return located(cache, wanted.revision)
        }
        let listing: RepositoryListing
        do {
            listing = try await self.listing(of: wanted, isQuick: canServe(cache, part))
        } catch let error as HubError where error.allowsCache {
            return try instead(of: error, cache, part)
        }
        // Somebody who asked at the same time may have been told otherwise, and before.
        guard settle(name, listing.commit) == listing.commit else { return try await snapshot(of: name, part) }
        try await SnapshotFetch(self, cache, listing, part)()
        return located(cache, listing.commit)
    }

    /// Makes a commit what a name stands for, unless it stands for another one already.
    ///
    /// - Returns: what it stands for.
    private func settle(_ name: RepositoryName, _ commit: String) -> String {
        commits.withLock { commits in
            let settled = commits[name] ?? commit
            commits[name] = settled
            return settled
        }
    }

    /// The commit that a name stands for as far as anybody here knows.
    private func knownCommit(_ cache: RepositoryCache) -> String? {
        commits.withLock { $0[cache.name] } ?? cache.commit
    }

    /// Whether the cache holds what a name stands for, as far as anybody here knows.
    private func canServe(_ cache: RepositoryCache, _ part: RepositoryPart) -> Bool {
        guard let commit = knownCommit(cache), let state = try? CachedSnapshot(cache, commit, part).state else {
            return false
        }
        return state == .whole || state == .apparentlyWhole
    }

    /// What the cache holds, where nobody may be asked.
    private func offline(_ cache: RepositoryCache, _ part: RepositoryPart) throws -> Snapshot {
        let advice = "the hub is not asked, since HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set"
        guard let commit = knownCommit(cache) else {
            throw HubError("\(cache.name.text) is not in the cache \(settings.cache.path), and \(advice)")
        }
        return try cached(cache, commit, part, orThrow: advice)
    }

    /// What the cache holds, where asking failed.
    private func instead(of error: HubError, _ cache: RepositoryCache, _ part: RepositoryPart) throws -> Snapshot {
        guard let commit = knownCommit(cache) else { throw error }
        let snapshot = try cached(cache, commit, part, orThrow: error.description)
        write("\(error.description); using the cached snapshot of commit \(commit.prefix(12))\n")
        return snapshot
    }

    private func cached(
        _ cache: RepositoryCache,
        _ commit: String,
        _ part: RepositoryPart,
        orThrow reason: String
    ) throws -> Snapshot {
        switch try CachedSnapshot(cache, commit, part).state {
        case .whole: break
        case .apparentlyWhole where part == .rows:
            write("\(cache.name.text): the cache does not say whether all files of the data are there\n")
        case .apparentlyWhole: break
        case .partial(let missing):
            let names =
                missing.prefix(3).joined(separator: ", ") + (missing.count > 3 ? " and \(missing.count - 3) more" : "")
            throw HubError("\(cache.name.text): the cache holds only a part of it (missing: \(names)), and \(reason)")
        }
        return located(cache, commit)
    }

    private func located(_ cache: RepositoryCache, _ commit: String) -> Snapshot {
        let snapshot = Snapshot(name: cache.name.at(commit), folder: cache.snapshot(commit))
        _ = settle(cache.name, commit)
        LocatedRepositories.remember(snapshot, as: cache.name)
        return snapshot
    }
}

/// A repository in the state of one commit, on this machine.
public struct Snapshot: Sendable, Equatable {
    /// The repository, with the commit's hash as revision.
    public let name: RepositoryName
    /// The folder that looks like it.
    public let folder: URL
}
