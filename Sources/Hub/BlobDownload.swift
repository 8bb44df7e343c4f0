import Digests
import Foundation
import HTTP
import Synchronization

/// A content on its way into a cache: what has arrived lies in `DIGEST.incomplete`, where the next try goes on.
final class BlobDownload: DownloadTarget {
    private let file: SystemFile
    /// The bytes of the whole content, where they are known.
    let expectedCount: Int?
    private let digest: BlobDigest
    private let progress: FetchProgress
    private let state: Mutex<State>

    private struct State: @unchecked Sendable {  // The digest is used within the mutex alone.
        var count = 0
        /// The bytes of the whole, as the answer says that brings them.
        var announced: Int?
        var running: MessageDigest?
    }

    /// Opens what is there, or begins anew.
    ///
    /// - Parameter size: the bytes of the whole content, where they are known
    init(path: String, _ digest: BlobDigest, size: Int?, progress: FetchProgress) throws(HubError) {
        file = try SystemFile(path: path)
        expectedCount = size
        self.digest = digest
        self.progress = progress
        state = Mutex(State())
        let found = file.size
        // More than the whole is no part of it. Without a size git's digest cannot begin, and nothing tells a part from the whole.
        let isUsable = size.map { found <= $0 } ?? false
        try restart(at: isUsable ? found : 0)
    }

    /// How many bytes are there.
    var byteCount: Int { state.withLock { $0.count } }

    /// Whether every byte is there, so that nothing need be asked for.
    var isWhole: Bool { byteCount == expectedCount }

    func begin(at offset: Int, of count: Int?) throws {
        if offset != byteCount { try restart(at: offset) }
        if let count { state.withLock { $0.announced = count } }
    }

    func append(_ bytes: Data) throws {
        let offset = byteCount
        if let expectedCount, offset + bytes.count > expectedCount {
            throw HTTPProblem.storage("sends more than the \(expectedCount) bytes that it announced")
        }
        try file.write(bytes, at: offset)
        state.withLock { state in
            bytes.withUnsafeBytes { state.running?.update($0) }
            state.count += bytes.count
        }
        progress.arrived(bytes.count)
    }

    /// Keeps the first bytes and makes their digest.
    private func restart(at offset: Int) throws(HubError) {
        progress.arrived(offset - byteCount, isTransfer: false)
        try file.truncate(to: offset)
        let running = Self.digest(digest, size: expectedCount)
        try file.forEachPiece(upTo: offset) { running?.update($0) }
        state.withLock { $0 = State(count: offset, running: running) }
    }

    /// Takes the bytes back that were counted as progress.
    func giveUp() { progress.arrived(-byteCount, isTransfer: false) }

    /// Brings the content to the disk.
    ///
    /// - Returns: what is wrong with it, nil where nothing is.
    func finish() throws(HubError) -> String? {
        let (count, announced, running) = state.withLock { state in
            defer { state.running = nil }
            return (state.count, state.announced, state.running)
        }
        if let due = expectedCount ?? announced, count != due { return "has \(count) bytes instead of \(due)" }
        let whole = if let running { running } else { try lateDigest(of: count) }
        let found = whole?.finishHexadecimal()
        if let found, found != digest.name { return "has the digest \(found) instead of \(digest.name)" }
        try file.synchronize()
        return nil
    }

    /// Git's digest, which begins with the size and so has to wait for the end where nobody said it.
    private func lateDigest(of count: Int) throws(HubError) -> MessageDigest? {
        guard let running = Self.digest(digest, size: count) else { return nil }
        try file.forEachPiece(upTo: count) { running.update($0) }
        return running
    }

    private static func digest(_ digest: BlobDigest, size: Int?) -> MessageDigest? {
        switch digest {
        case .sha256: return MessageDigest(.sha256)
        case .git:
            guard let size else { return nil }
            let running = MessageDigest(.sha1)
            running.update(Array("blob \(size)\0".utf8))
            return running
        case .opaque: return nil
        }
    }
}
