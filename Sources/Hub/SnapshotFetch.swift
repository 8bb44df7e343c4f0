import Foundation
import HTTP
import Synchronization

/// Brings the files of one commit into the cache: several at once, each whole or not at all.
struct SnapshotFetch: Sendable {
    /// How many files are fetched at once.
    static let concurrency = 4

    private let hub: Hub
    private let cache: RepositoryCache
    private let listing: RepositoryListing
    private let part: RepositoryPart

    init(_ hub: Hub, _ cache: RepositoryCache, _ listing: RepositoryListing, _ part: RepositoryPart) {
        (self.hub, self.cache, self.listing, self.part) = (hub, cache, listing, part)
    }

    /// A content, and the files that hold it.
    private struct Item: Sendable {
        let digest: BlobDigest
        let size: Int?
        var files: [RepositoryFile]
    }

    private var commit: String { listing.commit }
    private var name: RepositoryName { cache.name.at(commit) }

    /// Fetches whatever is missing of the part.
    func callAsFunction() async throws {
        let selection = FileSelection(listing: listing, part: part, name: cache.name.text)
        var wanted = try selection.first()
        // Before any link, so that a part is never taken for the whole.
        let isRecorded = cache.listing(of: commit) == listing || (try? cache.remember(listing)) != nil
        let progress = FetchProgress(cache.name.id, isTerminal: hub.isTerminal, write: hub.write)
        if let index = selection.index {
            // Small, and it says what the large ones are.
            for item in try await missing(listing.files(named: [index])) {
                if !isRecorded { try cache.remember(listing) }
                try await bring(item, progress)
            }
            wanted += try selection.shards(index: cache.snapshot(commit).appending(path: index))
        }
        let items = try await missing(wanted)
        if !items.isEmpty {
            if !isRecorded { try cache.remember(listing) }
            try makeFolder(cache.folder.appending(path: "blobs"))
            try checkSpace(items)
            progress.begin(
                files: items.reduce(0) { $0 + $1.files.count },
                bytes: items.reduce(0) { $0.clampedSum($1.size ?? 0) },
                from: hub.settings.endpoint
            )
            defer { progress.endLine() }
            try await bring(items, progress)
            progress.finish()
        }
        // A cache that others share may not be ours to write; what it does not remember is asked again.
        try? cache.remember(absent: selection.absent, of: commit)
        try? cache.remember(commit)
    }

    /// The contents of files that the snapshot lacks, the largest first.
    private func missing(_ files: [RepositoryFile]) async throws -> [Item] {
        var items: [BlobDigest: Item] = [:]
        for file in files where !cache.holds(file, of: commit) {
            let known = file.digest != nil && file.size != nil ? file : try await hub.described(file, of: name)
            guard let digest = known.digest else { continue }
            items[digest, default: Item(digest: digest, size: known.size, files: [])].files.append(known)
        }
        return items.values.sorted { ($0.size ?? 0, $0.digest.name) > ($1.size ?? 0, $1.digest.name) }
    }

    private func checkSpace(_ items: [Item]) throws {
        let needed = items.reduce(0) { sum, item in
            let size = item.size ?? 0
            let values = try? URL(filePath: incompletePath(item.digest)).resourceValues(forKeys: [.fileSizeKey])
            let isThere = cache.holds(item.digest, size: item.size)
            let fetched = isThere ? 0 : max(0, size - (values?.fileSize ?? 0))
            // Without links, every file is a content of its own; one of them can be what is fetched.
            let copies = cache.avoidsLinks ? item.files.count - (isThere ? 0 : 1) : 0
            return (0..<copies).reduce(sum.clampedSum(fetched)) { sum, _ in sum.clampedSum(size) }
        }
        guard let free = freeBytes(cache.folder), free < needed else { return }
        throw HubError(
            "\(cache.name.text) needs \(FetchProgress.size(needed)) in \(hub.settings.cache.path), where \(FetchProgress.size(free)) are "
                + "free; make room, or set HF_HUB_CACHE to a folder on a larger disk"
        )
    }

    private func incompletePath(_ digest: BlobDigest) -> String { cache.blob(digest).path + ".incomplete" }

    private func bring(_ items: [Item], _ progress: FetchProgress) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = items[...]
            for item in rest.prefix(Self.concurrency) { group.addTask { try await bring(item, progress) } }
            rest = rest.dropFirst(Self.concurrency)
            while try await group.next() != nil {
                if let item = rest.popFirst() { group.addTask { try await bring(item, progress) } }
            }
        }
    }

    private func bring(_ item: Item, _ progress: FetchProgress) async throws {
        let lock = try await lock(item.digest, progress)
        defer { withExtendedLifetime(lock) {} }
        let files = item.files.filter { !cache.holds($0, of: commit) }
        // What has just come is nobody's yet; what was there before may stand behind the links of other snapshots.
        var isNew = false
        for (number, file) in files.enumerated() {
            if !cache.holds(item.digest, size: item.size) {
                try await download(file, item.digest, progress)
                isNew = true
            } else if number == 0 {
                progress.arrived(item.size ?? 0, isTransfer: false)
            }
            try cache.place(file, item.digest, in: commit, canTake: isNew && number == files.count - 1)
        }
    }

    /// Waits for another process that fetches the same content.
    private func lock(_ digest: BlobDigest, _ progress: FetchProgress) async throws -> SystemFile {
        var hasSaid = false
        while true {
            if let lock = try cache.lock(digest) { return lock }
            if !hasSaid { progress.note("\(cache.name.id): another process is fetching the same file; waiting for it") }
            hasSaid = true
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Fetches a content, and once more where what came is not what it must be.
    private func download(_ file: RepositoryFile, _ digest: BlobDigest, _ progress: FetchProgress) async throws {
        let path = incompletePath(digest)
        try makeFolder(cache.blob(digest).deletingLastPathComponent())
        for attempt in 1...2 {
            let blob = try BlobDownload(path: path, digest, size: file.size, progress: progress)
            if !blob.isWhole { try await download(file, into: blob, progress) }
            guard let problem = try blob.finish() else { return try renameFile(path, cache.blob(digest).path) }
            blob.giveUp()
            unlink(path)
            if attempt == 2 {
                throw HubError(
                    "\(cache.name.text): \(file.path) \(problem), fetched twice from \(hub.settings.endpoint); it was removed, try "
                        + "again later"
                )
            }
            progress.note("\(cache.name.id): \(file.path) \(problem); fetching it once more")
        }
    }

    private func download(_ file: RepositoryFile, into blob: BlobDownload, _ progress: FetchProgress) async throws {
        let response: HTTPResponse
        let hasSaid = Flag()
        do {
            response = try await hub.downloads.download(try hub.request(for: file, in: name), into: blob) {
                problem,
                _ in
                if hasSaid.raise() { progress.note("\(cache.name.id): \(file.path): \(problem); trying again") }
            }
        } catch let error as HTTPError {
            throw HubError(
                "\(cache.name.text): \(file.path): \(error); what has arrived is kept: run this again to go on"
            )
        }
        // A server that says that nothing lies behind what is here: the digest will tell.
        guard (200..<300).contains(response.status) || response.status == 416 else {
            throw hub.refusal(response, of: cache.name, file: file)
        }
    }
}

/// Something that happens once.
private final class Flag: Sendable {
    private let isRaised = Atomic(false)

    /// Whether it had not happened before.
    func raise() -> Bool { !isRaised.exchange(true, ordering: .relaxed) }
}
