import Foundation

/// A repository on a hub: `organisation/name` or `name`, and which of its states is meant.
public struct RepositoryName: Hashable, Sendable {
    /// What a repository holds.
    public enum Kind: String, Sendable {
        /// Models, tokenizers and adapters.
        case model
        /// Rows of data.
        case dataset
    }

    /// What it holds.
    public let kind: Kind
    /// `organisation/name`, or `name` where there is no organisation.
    public let id: String
    /// A branch, a tag or a commit.
    public var revision: String

    /// A name that is known to be one.
    init(_ kind: Kind, id: String, revision: String = mainBranch) {
        self.kind = kind
        self.id = id
        self.revision = revision
    }

    /// The branch that is meant where no revision is named.
    static let mainBranch = "main"

    /// Reads `organisation/name` or `name`, with `@revision` behind where another state than the main branch's last is meant.
    ///
    /// - Returns: nil where a hub can have nothing of that name.
    public init?(_ text: String, kind: Kind) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard Self.isID(parts[0]), parts.count == 1 || Self.isRevision(parts[1]) else { return nil }
        self.init(kind, id: parts[0], revision: parts.count == 2 ? parts[1] : Self.mainBranch)
    }

    /// Reads a setting's value, which names nothing on this machine; nil where it was rather meant as a path here.
    ///
    /// A path is what begins like one, what ends like a file, and what goes on behind a directory that holds something.
    public init?(setting text: String, kind: Kind) {
        self.init(text, kind: kind)
        let endings = [
            ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".parquet", ".csv", ".txt", ".yaml", ".safetensors",
        ]
        if endings.contains(where: id.lowercased().hasSuffix) || Self.directory(before: text) != nil { return nil }
    }

    /// The directory here behind which a text goes on, so that it is a path, though a hub could have a repository of that name.
    ///
    /// - Returns: nil where there is none, where it is empty, and where the text names a revision, which no path does.
    public static func directory(before text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts.first.map(String.init), !text.contains("@"), isID(text) else {
            return nil
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: first)) ?? []
        return names.contains { !$0.hasPrefix(".") } ? first : nil
    }

    /// The name as ``init(_:kind:)`` reads it.
    public var text: String { revision == Self.mainBranch ? id : id + "@" + revision }

    /// The same repository in the state of a commit.
    func at(_ commit: String) -> RepositoryName { RepositoryName(kind, id: id, revision: commit) }

    /// Whether the revision is a commit's whole hash, of which there is only one state.
    public var isCommit: Bool { Self.isCommit(revision) }

    /// Whether a text is the whole hash of a commit.
    static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    /// The folder of the repository in a cache: `models--organisation--name`.
    var folderName: String { kind.rawValue + "s--" + id.split(separator: "/").joined(separator: "--") }

    /// Whether a hub allows a repository of this name: letters, digits, `-`, `_` and `.`, of which `--` and `..` would be ambiguous.
    private static func isID(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, !text.contains("--"), !text.contains(".."), !text.hasSuffix(".git") else {
            return false
        }
        return parts.allSatisfy { part in
            let bytes = Array(part.utf8)
            guard let first = bytes.first, let last = bytes.last, bytes.count <= 96 else { return false }
            return ![first, last].contains { "-.".utf8.contains($0) } && bytes.allSatisfy(isWordByte)
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// Whether git allows a reference of this name; it becomes a path in the cache.
    private static func isRevision(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let forbidden = " ~^:?*[\\\u{7F}"
        return text.utf8.count <= 250 && !text.contains("..") && !text.contains("@{") && !text.hasPrefix("-")
            && text.unicodeScalars.allSatisfy { $0.value > 0x1F && !forbidden.unicodeScalars.contains($0) }
            && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".") && !$0.hasSuffix(".lock") }
    }
}
