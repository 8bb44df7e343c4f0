import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@testable import Hub

/// Fetches that break off, bring what is wrong, or meet another.
@Suite struct InterruptedFetchTests {
    private static let weights = HubBench.content(200_000, seed: 2)
    private static let name = HubServer.largeName(weights)

    private static func single() -> HubServer.Repository {
        HubServer.Repository(
            "org/one",
            commit: HubBench.commit,
            ["config.json": Array("{}".utf8), "model.safetensors": weights],
            large: ["model.safetensors"]
        )
    }

    private func incomplete(_ bench: HubBench) -> String {
        bench.cache.path + "/models--org--one/blobs/" + Self.name + ".incomplete"
    }

    /// The bytes from which on the store was asked, in order.
    private func starts(_ bench: HubBench) -> [String] { bench.server.storeCalls.map { $0.headers["range"] ?? "all" } }

    @Test("a connection that breaks is taken up where it broke, within one run and by the next")
    func resumes() async throws {
        let bench = try HubBench(Self.single())
        let weights = Self.weights
        bench.server.disturb { call in
            guard call.path.hasPrefix("/store") else { return nil }
            // Every answer brings 60,000 bytes more, until the fourth.
            return .part(weights, sent: 60_000)
        }
        var patience = HTTPSettings()
        patience.attempts = 1
        let hub = Hub(bench.settings(), http: patience, isTerminal: false) { [lines = bench.lines] in lines.write($0) }
        let name = try #require(RepositoryName("org/one", kind: .model))
        await #expect(throws: HubError.self) { try await hub.snapshot(of: name, .model) }
        let arrived = try Data(contentsOf: URL(filePath: incomplete(bench)))
        #expect(arrived.count == 60_000 && Array(arrived) == Array(weights.prefix(60_000)))
        // Not there yet: what is offline must not take the part for the whole.
        let offline = await bench.failure("org/one", .model, ["HF_HUB_OFFLINE": "1"])
        #expect(offline.contains("is not in the cache"))

        let folder = try await bench.fetch("org/one")
        #expect(try bench.bytes(folder, "model.safetensors") == weights)
        #expect(starts(bench) == ["all", "bytes=60000-", "bytes=120000-", "bytes=180000-"])
        #expect(!FileManager.default.fileExists(atPath: incomplete(bench)))
    }

    @Test("a server that ignores ranges sends the whole again")
    func ignoredRange() async throws {
        let bench = try HubBench(Self.single())
        let blobs = URL(filePath: incomplete(bench)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        try Data(Self.weights.prefix(1000)).write(to: URL(filePath: incomplete(bench)))
        let weights = Self.weights
        bench.server.disturb { call in
            guard call.path.hasPrefix("/store") else { return nil }
            return .bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(weights.count)\r\n\r\n", weights)
        }
        let folder = try await bench.fetch("org/one")
        #expect(try bench.bytes(folder, "model.safetensors") == Self.weights)
        #expect(starts(bench) == ["bytes=1000-"])
    }

    @Test("what is wrong at its start is fetched once more, whole")
    func wrongStart() async throws {
        let bench = try HubBench(Self.single())
        let blobs = URL(filePath: incomplete(bench)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        try Data(repeating: 7, count: 1000).write(to: URL(filePath: incomplete(bench)))
        let folder = try await bench.fetch("org/one")
        #expect(try bench.bytes(folder, "model.safetensors") == Self.weights)
        #expect(starts(bench) == ["bytes=1000-", "all"])
        #expect(bench.lines.text.contains("fetching it once more"))
    }

    @Test("more than the whole, and exactly the whole, need no luck")
    func overlong() async throws {
        for extra in [0, 10] {
            let bench = try HubBench(Self.single())
            let blobs = URL(filePath: incomplete(bench)).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
            try Data(Self.weights + [UInt8](repeating: 0, count: extra)).write(to: URL(filePath: incomplete(bench)))
            let folder = try await bench.fetch("org/one")
            #expect(try bench.bytes(folder, "model.safetensors") == Self.weights)
            #expect(starts(bench) == (extra == 0 ? [] : ["all"]))
        }
    }

    @Test(
        "what is wrong twice is an error, and nothing of it stays",
        arguments: [("other bytes", 200_000), ("too few", 100_000), ("too many", 200_001)]
    )
    func wrong(what: String, count: Int) async throws {
        let bench = try HubBench(Self.single())
        bench.server.disturb { call in
            call.path.hasPrefix("/store") ? .file([UInt8](repeating: 1, count: count)) : nil
        }
        let failure = await bench.failure("org/one")
        #expect(failure.contains("model.safetensors"))
        #expect(failure.contains(count > 200_000 ? "more than the 200000 bytes" : "fetched twice"))
        #expect(
            !FileManager.default.fileExists(
                atPath: bench.cache.path + "/models--org--one/snapshots/\(HubBench.commit)/model.safetensors"
            )
        )
        let blobs = bench.cache.path + "/models--org--one/blobs/"
        #expect(!FileManager.default.fileExists(atPath: blobs + Self.name))
        if count <= 200_000 { #expect(bench.server.storeCalls.count == 2) }
    }

    @Test("a small file is checked too")
    func wrongSmall() async throws {
        let bench = try HubBench(Self.single())
        bench.server.disturb { call in call.path.hasSuffix("config.json") ? .file(Array("[]".utf8)) : nil }
        #expect(await bench.failure("org/one").contains("config.json has the digest"))
    }

    @Test("a stall is taken up again")
    func stall() async throws {
        let bench = try HubBench(Self.single())
        let weights = Self.weights
        bench.server.disturb { call in
            call.path.hasPrefix("/store") && call.headers["range"] == nil
                ? .part(weights, sent: 150_000, thenStalls: true) : nil
        }
        let folder = try await bench.fetch("org/one", .model, ["HF_HUB_DOWNLOAD_TIMEOUT": "0.5"])
        #expect(try bench.bytes(folder, "model.safetensors") == weights)
        #expect(starts(bench).first == "all" && starts(bench).last == "bytes=150000-")
    }

    @Test("a busy server is asked again, after the silence that it wants")
    func rateLimit() async throws {
        let bench = try HubBench(Self.single())
        let refused = Mutex(0)
        bench.server.disturb { call in
            guard call.path.hasPrefix("/api") || call.path.hasPrefix("/store") else { return nil }
            let count = refused.withLock { count -> Int in
                count += 1
                return count
            }
            if count % 2 == 0 { return nil }
            return .answer(
                status: count == 1 ? 429 : 503,
                headers: count == 1 ? ["RateLimit": #""api";r=0;t=0"#] : [:],
                body: "busy"
            )
        }
        let folder = try await bench.fetch("org/one")
        #expect(try bench.bytes(folder, "model.safetensors") == Self.weights)
        #expect(bench.server.storeCalls.count == 2)
    }

    @Test("two at once fetch each file once")
    func twoAtOnce() async throws {
        let bench = try HubBench(HubBench.model())
        async let first = bench.fetch("org/tiny")
        async let second = bench.fetch("org/tiny")
        async let third = bench.fetch("org/tiny", .tokenizer)
        let folders = try await [first, second, third]
        #expect(Set(folders).count == 1)
        #expect(bench.server.storeCalls.count == 2)
        let fetched = bench.server.calls.map(\.path).filter { $0.contains("/resolve/") }
        #expect(Set(fetched).count == fetched.count)
    }

    @Test("a full disk is noticed before anything is fetched")
    func fullDisk() async throws {
        let bench = try HubBench(Self.single())
        bench.server.disturb { call in
            guard call.path.hasPrefix("/api") else { return nil }
            let size = 60_000_000_000_000
            let file =
                #"{"rfilename":"model.safetensors","size":\#(size),"lfs":{"sha256":"\#(Self.name)","size":\#(size)}}"#
            return .answer(body: #"{"sha":"\#(HubBench.commit)","siblings":[\#(file)]}"#)
        }
        let failure = await bench.failure("org/one")
        #expect(failure.contains("needs 60.0 TB in") && failure.contains("HF_HUB_CACHE"))
        #expect(bench.server.storeCalls.isEmpty)
    }
}
