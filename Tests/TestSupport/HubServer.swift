import Digests
import Foundation
import JSONText
import Synchronization

/// A hub on this machine, with the repositories that a test gives it, that speaks the Hugging Face hub's protocol.
///
/// Large files lie on a second server, to which the first one sends whoever asks for them, as the hub does.
public final class HubServer: Sendable {
    /// A repository in one state.
    public struct Repository: Sendable {
        /// `models` or `datasets`.
        public var kind = "models"
        /// `organisation/name`.
        public var id: String
        /// Its commit.
        public var commit: String
        /// The branches and tags that stand for the commit; of the repositories of one name the first one with a revision has it.
        public var revisions: Set<String> = ["main", "refs/pr/1"]
        /// The files by their names.
        public var files: [String: [UInt8]]
        /// The names of those that lie in large storage.
        public var large: Set<String> = []
        /// The token that may read it; nil is everybody.
        public var token: String?
        /// Whether whoever may not read it is told that it exists.
        public var isGated = false
        /// Whether listings say sizes and digests.
        public var describesFiles = true
        /// Names that listings claim besides.
        public var claimed: [String] = []

        /// A repository by its name, its commit and its files.
        public init(
            _ id: String,
            commit: String,
            kind: String = "models",
            _ files: [String: [UInt8]],
            large: Set<String> = []
        ) {
            (self.id, self.commit, self.kind, self.files, self.large) = (id, commit, kind, files, large)
        }
    }

    private let state: Mutex<[Repository]>
    private let disturbance: Mutex<@Sendable (LoopbackServer.Call) -> LoopbackServer.Reply?>
    private let servers: Mutex<(hub: LoopbackServer, store: LoopbackServer)?> = Mutex(nil)

    /// Starts both servers.
    public init(_ repositories: [Repository]) throws {
        state = Mutex(repositories)
        disturbance = Mutex { _ in nil }
        let store = try LoopbackServer { [weak self] in self?.stored($0) ?? .answer(status: 404, body: "") }
        let hub = try LoopbackServer { [weak self] in
            self?.answer($0, store: store.address) ?? .answer(status: 404, body: "")
        }
        servers.withLock { $0 = (hub, store) }
    }

    deinit {
        servers.withLock { servers in
            servers?.hub.stop()
            servers?.store.stop()
        }
    }

    /// The address for `HF_ENDPOINT`.
    public var address: String { servers.withLock { $0?.hub.address ?? "" } }
    /// The calls that the hub got.
    public var calls: [LoopbackServer.Call] { servers.withLock { $0?.hub.calls ?? [] } }
    /// The calls that the server of large files got.
    public var storeCalls: [LoopbackServer.Call] { servers.withLock { $0?.store.calls ?? [] } }

    /// Puts a repository in the place of the one of its name.
    public func replace(_ repository: Repository) {
        state.withLock { $0 = $0.filter { $0.id != repository.id || $0.kind != repository.kind } + [repository] }
    }

    /// Adds another state of a repository, behind those that are there.
    public func add(_ repository: Repository) { state.withLock { $0.append(repository) } }

    /// Answers in the place of both servers, wherever the closure says something.
    public func disturb(_ reply: @escaping @Sendable (LoopbackServer.Call) -> LoopbackServer.Reply?) {
        disturbance.withLock { $0 = reply }
    }

    /// The name of a small file's content: what `git hash-object` says.
    public static func gitName(_ content: [UInt8]) -> String {
        hexadecimal(MessageDigest.digest(Array("blob \(content.count)\0".utf8) + content, .sha1))
    }

    /// The name of a large file's content.
    public static func largeName(_ content: [UInt8]) -> String { hexadecimal(MessageDigest.digest(content, .sha256)) }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private func stored(_ call: LoopbackServer.Call) -> LoopbackServer.Reply {
        if let reply = disturbance.withLock({ $0 })(call) { return reply }
        let name = call.path.split(separator: "?")[0].split(separator: "/").last.map(String.init)
        let contents = state.withLock {
            $0.flatMap { repository in repository.large.compactMap { repository.files[$0] } }
        }
        guard let content = contents.first(where: { Self.largeName($0) == name }) else {
            return .answer(status: 404, body: "")
        }
        return .file(content)
    }

    private func answer(_ call: LoopbackServer.Call, store: String) -> LoopbackServer.Reply {
        if let reply = disturbance.withLock({ $0 })(call) { return reply }
        let path = call.path.split(separator: "?")[0].split(separator: "/").map(String.init)
        let isQuestion = path.first == "api"
        let kind = isQuestion ? path.dropFirst().first ?? "" : path.first == "datasets" ? "datasets" : "models"
        let rest = path.dropFirst(isQuestion ? 2 : kind == "datasets" ? 1 : 0)
        guard let verb = rest.firstIndex(where: { ["revision", "tree", "resolve"].contains($0) }) else {
            return Self.refusal(404, "RepoNotFound", "Repository not found")
        }
        let id = rest[..<verb].joined(separator: "/")
        let revision = (rest.count > verb - rest.startIndex + 1 ? rest[verb + 1] : "").removingPercentEncoding ?? ""
        let states = state.withLock { $0.filter { $0.id == id && $0.kind == kind } }
        let found = states.first { $0.revisions.contains(revision) || $0.commit == revision }
        guard let repository = found ?? states.first else {
            return Self.refusal(401, "RepoNotFound", "Repository not found")
        }
        if let token = repository.token, call.headers["authorization"] != "Bearer " + token {
            return repository.isGated && rest[verb] == "resolve"
                ? Self.refusal(403, "GatedRepo", "Access to this model is restricted")
                : repository.isGated ? listing(repository) : Self.refusal(401, "RepoNotFound", "Repository not found")
        }
        guard found != nil else {
            return Self.refusal(404, "RevisionNotFound", "Invalid rev id: \(revision)")
        }
        switch rest[verb] {
        case "revision": return listing(repository)
        case "tree": return tree(repository)
        default:
            let name = rest[(verb + 2)...].joined(separator: "/").removingPercentEncoding ?? ""
            return file(name, of: repository, store: store)
        }
    }

    private func file(_ name: String, of repository: Repository, store: String) -> LoopbackServer.Reply {
        let commit = ["X-Repo-Commit": repository.commit]
        guard let content = repository.files[name] else {
            return Self.refusal(404, "EntryNotFound", "Entry not found", commit)
        }
        guard repository.large.contains(name) else {
            return .file(headers: commit.merging(["ETag": "\"\(Self.gitName(content))\""]) { $1 }, content)
        }
        let digest = Self.largeName(content)
        let place = ["Location": store + "/store/" + digest + "?signature=secret"]
        let linked = ["X-Linked-Etag": "\"\(digest)\"", "X-Linked-Size": String(content.count)]
        return .answer(status: 302, headers: commit.merging(place) { $1 }.merging(linked) { $1 }, body: "")
    }

    private func listing(_ repository: Repository) -> LoopbackServer.Reply {
        var siblings = repository.files.sorted { $0.key < $1.key }.map { name, content -> JSON in
            var member: JSONObject = JSONObject()
            member["rfilename"] = .string(name)
            guard repository.describesFiles else { return .object(member) }
            member["size"] = .integer(content.count)
            member["blobId"] = .string(Self.gitName(content))
            if repository.large.contains(name) {
                member["lfs"] = [
                    "sha256": .string(Self.largeName(content)), "size": .integer(content.count), "pointerSize": 130,
                ]
            }
            return .object(member)
        }
        siblings += repository.claimed.map {
            ["rfilename": .string($0), "size": 1, "blobId": .string(Self.gitName([1]))]
        }
        let answer: JSON = [
            "id": .string(repository.id), "sha": .string(repository.commit), "siblings": .array(siblings),
        ]
        return .answer(headers: ["Content-Type": "application/json"], body: answer.serialized())
    }

    /// What `huggingface_hub` asks for besides.
    private func tree(_ repository: Repository) -> LoopbackServer.Reply {
        let entries = repository.files.sorted { $0.key < $1.key }.map { name, content -> JSON in
            var member = JSONObject()
            member["type"] = "file"
            member["path"] = .string(name)
            member["size"] = .integer(content.count)
            member["oid"] = .string(Self.gitName(content))
            if repository.large.contains(name) {
                member["lfs"] = [
                    "oid": .string(Self.largeName(content)), "size": .integer(content.count), "pointerSize": 130,
                ]
            }
            return .object(member)
        }
        return .answer(headers: ["Content-Type": "application/json"], body: JSON.array(entries).serialized())
    }

    private static func refusal(
        _ status: Int,
        _ code: String,
        _ message: String,
        _ headers: [String: String] = [:]
    ) -> LoopbackServer.Reply {
        let reasons = ["X-Error-Code": code, "X-Error-Message": message]
        return .answer(status: status, headers: headers.merging(reasons) { $1 }, body: #"{"error":"\#(message)"}"#)
    }
}
