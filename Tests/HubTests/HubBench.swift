import Foundation
import HTTP
import Synchronization
import TestSupport

@testable import Hub

/// A cache of its own for a test, and what fetches into it.
struct HubBench: Sendable {
    let directory: TemporaryDirectory
    let server: HubServer
    /// What was written for the person.
    let lines = Lines()

    final class Lines: Sendable {
        private let written = Mutex("")
        var text: String { written.withLock { $0 } }
        func write(_ text: String) { written.withLock { $0 += text } }
    }

    static let commit = String(repeating: "c0ffee00", count: 5)
    static let later = String(repeating: "beef0123", count: 5)

    init(_ repositories: HubServer.Repository...) throws {
        directory = try TemporaryDirectory()
        server = try HubServer(repositories)
    }

    var cache: URL { directory.url.appending(path: "hub") }

    func settings(_ environment: [String: String] = [:]) -> HubSettings {
        let usual = [
            "HF_HUB_CACHE": cache.path, "HF_ENDPOINT": server.address, "HOME": directory.url.path,
            // Long enough for a machine that is busy with other tests.
            "HF_HUB_DOWNLOAD_TIMEOUT": "60", "HF_HUB_ETAG_TIMEOUT": "60",
        ]
        return HubSettings(environment: usual.merging(environment) { $1 })
    }

    func hub(_ environment: [String: String] = [:], attempts: Int = 8) -> Hub {
        var patience = HTTPSettings()
        patience.firstDelay = 0.001
        patience.longestDelay = 0.01
        patience.patience = 5
        patience.attempts = attempts
        return Hub(settings(environment), http: patience, isTerminal: false) { [lines] in lines.write($0) }
    }

    /// The folder of a repository's snapshot.
    func fetch(
        _ name: String,
        _ part: RepositoryPart = .model,
        _ environment: [String: String] = [:]
    ) async throws -> URL {
        guard let name = RepositoryName(name, kind: part.kind) else { throw HubError("\(name) is no name") }
        return try await hub(environment).snapshot(of: name, part).folder
    }

    /// The sentence of the error that fetching ends with; what it was, where it was none.
    func failure(
        _ name: String,
        _ part: RepositoryPart = .model,
        _ environment: [String: String] = [:]
    ) async -> String {
        do { return try await fetch(name, part, environment).path } catch { return "\(error)" }
    }

    /// The model after its branch has moved on: another commit, with another content of one file.
    static func movedModel() -> HubServer.Repository {
        var moved = model()
        moved.commit = later
        moved.files["config.json"] = Array("[2]".utf8)
        return moved
    }

    /// A model of two shards, its tokenizer, and files that nobody needs.
    static func model(_ id: String = "org/tiny") -> HubServer.Repository {
        let index = #"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#
        return HubServer.Repository(
            id,
            commit: commit,
            [
                "config.json": Array(#"{"model_type":"llama"}"#.utf8), "tokenizer.json": Array("{}".utf8),
                "model.safetensors.index.json": Array(index.utf8),
                "model-00001-of-00002.safetensors": content(30_000, seed: 1),
                "model-00002-of-00002.safetensors": content(200_000, seed: 2),
                "additional_chat_templates/tool use+é.jinja": Array("{{ x }}".utf8),
                "pytorch_model.bin": content(10, seed: 3), "onnx/model.onnx": content(10, seed: 4),
                "README.md": Array("# Tiny".utf8), "logo.png": content(10, seed: 5),
            ],
            large: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "pytorch_model.bin"]
        )
    }

    static func rows(_ id: String = "org/rows", _ files: [String: [UInt8]]) -> HubServer.Repository {
        HubServer.Repository(id, commit: commit, kind: "datasets", files)
    }

    /// Bytes that compress badly and repeat late.
    static func content(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    /// The relative paths of the files below a folder, links followed.
    func files(_ folder: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder.path + "/" + path, isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }

    func bytes(_ folder: URL, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }
}
