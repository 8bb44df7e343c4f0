import Foundation
import JSONText

/// What a repository holds in the state of one commit.
struct RepositoryListing: Sendable, Equatable {
    /// The commit's hash.
    let commit: String
    /// Its files, in the order of the listing.
    let files: [RepositoryFile]

    /// More files than any repository of models or rows has, so that a listing of them is a mistake or malice.
    static let fileLimit = 100_000
    /// More bytes than any file has; sums of sizes below it do not overflow.
    static let sizeLimit = 1 << 46

    /// The files of these names.
    func files(named names: some Collection<String>) -> [RepositoryFile] { files.filter { names.contains($0.path) } }

    /// Whether a file of that name is there.
    func holds(_ name: String) -> Bool { files.contains { $0.path == name } }
}

/// A file of a repository.
struct RepositoryFile: Sendable, Equatable {
    /// Its name, with folders in front where it lies in some.
    let path: String
    /// Its bytes, where the server says.
    var size: Int?
    /// What its content must be, and its name among the cache's blobs; nil until the server says.
    var digest: BlobDigest?
}

/// The name of a content, which most contents can be checked by.
enum BlobDigest: Sendable, Hashable {
    /// The SHA-1 of a file as git keeps it: with its kind and size in front.
    case git(String)
    /// The SHA-256 of the content, of a file in large storage.
    case sha256(String)
    /// A name that the server has chosen, which says nothing of the content.
    case opaque(String)

    /// The name of the content in a cache.
    var name: String {
        switch self {
        case .git(let name), .sha256(let name), .opaque(let name): name
        }
    }

    /// Reads the name that a server gives: hexadecimal digits by which the content can be checked, or any other word.
    init?(etag text: String) {
        let name = (text.hasPrefix("W/") ? text.dropFirst(2) : text[...]).filter { $0 != "\"" }
        let isHexadecimal = name.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
        let isWord = name.utf8.allSatisfy {
            $0 < 0x80 && (Character(UnicodeScalar($0)).isLetter || "0123456789-_.".utf8.contains($0))
        }
        switch name.utf8.count {
        case 40 where isHexadecimal: self = .git(name)
        case 64 where isHexadecimal: self = .sha256(name)
        case 1...128 where isWord && !name.hasPrefix("."): self = .opaque(name)
        default: return nil
        }
    }
}

extension RepositoryListing {
    /// Reads what `/api/models/ID/revision/REVISION` answers.
    ///
    /// - Throws: ``HubError`` where it is not of that form, or names files that would leave their folder.
    init(answer: JSON, _ name: RepositoryName) throws(HubError) {
        guard let commit = answer["sha"]?.string, RepositoryName.isCommit(commit) else {
            throw HubError("\(name.text): the server's answer names no commit; does HF_ENDPOINT point to a hub?")
        }
        guard let siblings = answer["siblings"]?.array else {
            throw HubError("\(name.text): the server's answer lists no files; does HF_ENDPOINT point to a hub?")
        }
        var files: [RepositoryFile] = []
        for sibling in siblings.prefix(Self.fileLimit + 1) {
            guard let path = sibling["rfilename"]?.string else {
                throw HubError("\(name.text): the server's listing has a file without a name")
            }
            let lfs = sibling["lfs"]
            let digest =
                lfs?["sha256"]?.string.flatMap { BlobDigest(etag: $0) }
                ?? (lfs?.object == nil ? sibling["blobId"]?.string.flatMap { BlobDigest(etag: $0) } : nil)
            files.append(
                RepositoryFile(path: path, size: lfs?["size"]?.integer ?? sibling["size"]?.integer, digest: digest)
            )
        }
        self.init(commit: commit, files: files)
        try check(name)
    }

    /// Refuses a listing that could write outside its folder, or that nobody could mean.
    private func check(_ name: RepositoryName) throws(HubError) {
        guard files.count <= Self.fileLimit else {
            throw HubError(
                "\(name.text): the server lists more than \(Self.fileLimit) files, which no model and no data set has"
            )
        }
        var seen: Set<[UInt8]> = []
        for file in files {
            guard Self.staysInside(file.path) else {
                throw HubError(
                    "\(name.text): the server lists \(shown(file.path)), which would be written outside its folder"
                )
            }
            guard seen.insert(Array(file.path.utf8)).inserted else {
                throw HubError("\(name.text): the server lists \(shown(file.path)) twice")
            }
            if let size = file.size, !(0...Self.sizeLimit).contains(size) {
                throw HubError("\(name.text): the server says that \(shown(file.path)) has \(size) bytes")
            }
        }
    }

    private func shown(_ path: String) -> String { JSON.string(String(path.prefix(100))).serialized() }

    /// Whether a name is a path that cannot leave the folder it starts from.
    private static func staysInside(_ path: String) -> Bool {
        // By bytes: a slash with a combining mark behind it is one character.
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        return path.utf8.count <= 1024 && !path.utf8.contains(UInt8(ascii: "\\"))
            && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            && parts.allSatisfy { !$0.isEmpty && $0 != Array(".".utf8) && $0 != Array("..".utf8) && $0.count <= 255 }
    }
}

extension RepositoryListing {
    /// Reads a listing that lies in a cache, in the form in which `huggingface_hub` keeps its own; nil for any other content.
    init?(stored text: [UInt8], commit: String) {
        guard let json = try? JSON(parsing: text), json["format_version"]?.integer == 1,
            let members = json["files"]?.object
        else { return nil }
        let files = members.members.map { path, file in
            RepositoryFile(
                path: path,
                size: file["lfs_size"]?.integer ?? file["size"]?.integer,
                digest: (file["lfs_sha256"]?.string ?? file["blob_id"]?.string).flatMap { BlobDigest(etag: $0) }
            )
        }
        self.init(commit: commit, files: files)
        guard files.count <= Self.fileLimit, files.allSatisfy({ Self.staysInside($0.path) }),
            files.allSatisfy({ (0...Self.sizeLimit).contains($0.size ?? 0) })
        else { return nil }
    }

    /// The text of a listing in a cache.
    var stored: [UInt8] {
        var members = JSONObject()
        for file in files {
            var member = JSONObject()
            member["size"] = file.size.map(JSON.integer)
            switch file.digest {
            case .sha256(let name):
                member["lfs_sha256"] = .string(name)
                member["lfs_size"] = file.size.map(JSON.integer)
            case .git(let name), .opaque(let name): member["blob_id"] = .string(name)
            case nil: break
            }
            members[file.path] = .object(member)
        }
        let document: JSON = ["format_version": 1, "files": .object(members)]
        return Array(document.serialized().utf8)
    }
}
