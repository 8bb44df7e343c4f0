import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What lies of one repository in a cache, in the places where `huggingface_hub` puts it and looks for it.
///
/// ```
/// models--organisation--name/refs/main              the commit that a branch or tag stood for
/// models--organisation--name/blobs/DIGEST           contents
/// models--organisation--name/snapshots/COMMIT/FILE  links to contents
/// models--organisation--name/rto/COMMIT.json        which files the commit has, so that a part is never taken for the whole
/// .locks/models--organisation--name/DIGEST.lock     held while a content is fetched
/// ```
struct RepositoryCache: Sendable {
    let name: RepositoryName
    let folder: URL
    private let locks: URL
    /// Whether snapshots hold the files themselves.
    let avoidsLinks: Bool

    init(_ name: RepositoryName, in cache: URL, avoidsLinks: Bool = false) {
        self.name = name
        folder = cache.appending(path: name.folderName)
        locks = cache.appending(path: ".locks").appending(path: name.folderName)
        self.avoidsLinks = avoidsLinks
    }

    // References.

    /// The commit that the name's revision stood for when it was last looked up, or the revision itself where it is a commit.
    var commit: String? {
        if name.isCommit { return name.revision }
        guard let text = try? String(contentsOf: reference, encoding: .utf8) else { return nil }
        let commit = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return RepositoryName.isCommit(commit) ? commit : nil
    }

    private var reference: URL { folder.appending(path: "refs").appending(path: name.revision) }

    /// Remembers which commit the name's revision stands for.
    func remember(_ commit: String) throws(HubError) {
        if name.isCommit || self.commit == commit { return }
        try write(Array(commit.utf8), to: reference)
    }

    // Listings.

    private func record(_ commit: String) -> URL { folder.appending(path: "rto").appending(path: commit + ".json") }

    /// The files that a commit has, where that was written down by this program or by `huggingface_hub`.
    func listing(of commit: String) -> RepositoryListing? {
        for place in [record(commit), folder.appending(path: "trees").appending(path: commit + ".json")] {
            guard let text = FileManager.default.contents(atPath: place.path) else { continue }
            if let listing = RepositoryListing(stored: Array(text), commit: commit) { return listing }
        }
        return nil
    }

    /// Writes down which files a commit has.
    func remember(_ listing: RepositoryListing) throws(HubError) {
        try write(listing.stored, to: record(listing.commit))
    }

    /// Writes down that a commit lacks files, as transformers looks for them.
    func remember(absent names: [String], of commit: String) throws(HubError) {
        for name in names {
            try write([], to: folder.appending(path: ".no_exist").appending(path: commit).appending(path: name))
        }
    }

    // Snapshots.

    /// The folder that looks like the repository in the state of a commit.
    func snapshot(_ commit: String) -> URL { folder.appending(path: "snapshots").appending(path: commit) }

    /// Whether the snapshot holds a file with as many bytes as it must have.
    func holds(_ file: RepositoryFile, of commit: String) -> Bool {
        let size = Self.size(snapshot(commit).appending(path: file.path))
        return size != nil && (file.size == nil || file.size == size)
    }

    /// The place of a content.
    func blob(_ digest: BlobDigest) -> URL { folder.appending(path: "blobs").appending(path: digest.name) }

    /// Whether a content is there.
    func holds(_ digest: BlobDigest, size: Int?) -> Bool {
        let found = Self.size(blob(digest))
        return found != nil && (size == nil || found == size)
    }

    /// Puts a content that is there into a snapshot: as a link or, where there are to be none or can be none, as the file itself.
    ///
    /// - Parameter canTake: whether no other snapshot can have a link to the content, so that it may be moved and not copied
    func place(
        _ file: RepositoryFile,
        _ digest: BlobDigest,
        in commit: String,
        canTake: Bool
    ) throws(HubError) {
        let target = snapshot(commit).appending(path: file.path)
        try makeFolder(target.deletingLastPathComponent())
        let steps = 1 + file.path.split(separator: "/").count
        let source = String(repeating: "../", count: steps) + "blobs/" + digest.name
        let temporary = try temporaryPath()
        if avoidsLinks || symlink(source, temporary) != 0 {
            guard avoidsLinks || [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EACCES].contains(errno) else {
                throw .system(target.path, "cannot be made")
            }
            if canTake { return try renameFile(blob(digest).path, target.path) }
            do {
                try FileManager.default.copyItem(atPath: blob(digest).path, toPath: temporary)
            } catch {
                unlink(temporary)
                throw HubError("\(target.path): cannot be copied from the cache's blobs: \(error.localizedDescription)")
            }
            try SystemFile(path: temporary).synchronize()
        }
        do throws(HubError) {
            try renameFile(temporary, target.path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// The bytes of a file, links followed; nil where there is none.
    private static func size(_ file: URL) -> Int? {
        var status = stat()
        guard stat(file.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    // Locks.

    /// Locks a content against other processes that would fetch it too; nil while another has it.
    func lock(_ digest: BlobDigest) throws(HubError) -> SystemFile? {
        try makeFolder(locks)
        while true {
            let file = try SystemFile(path: locks.appending(path: digest.name + ".lock").path)
            guard try file.lock() else { return nil }
            // Whoever had it may have removed the file: a lock on a file without a name keeps nobody out.
            if file.hasItsName { return file }
        }
    }

    /// A path on the same disk where other programs look for nothing: what a kill leaves there confuses nobody.
    private func temporaryPath() throws(HubError) -> String {
        let ours = folder.appending(path: "rto")
        try makeFolder(ours)
        return ours.appending(path: ".\(UUID().uuidString).partial").path
    }

    private func write(_ bytes: [UInt8], to target: URL) throws(HubError) {
        try makeFolder(target.deletingLastPathComponent())
        let temporary = try temporaryPath()
        do throws(HubError) {
            let file = try SystemFile(path: temporary)
            try file.write(bytes, at: 0)
            try renameFile(temporary, target.path)
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
