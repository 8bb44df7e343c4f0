import Foundation
import TestSupport
import Testing

@testable import Hub

/// What becomes of names where nobody answers.
@Suite struct OfflineTests {
    /// A port of this machine on which nobody listens.
    private static let nobody = ["HF_ENDPOINT": "http://127.0.0.1:9"]

    @Test("offline, the cache is all there is")
    func offline() async throws {
        let bench = try HubBench(HubBench.model())
        for variable in ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"] {
            let failure = await bench.failure("org/tiny", .model, [variable: "1"])
            #expect(failure.contains("org/tiny is not in the cache \(bench.cache.path), and the hub is not asked"))
        }
        #expect(bench.server.calls.isEmpty)
    }

    @Test("without a connection, a whole snapshot serves and one line says so")
    func noConnection() async throws {
        let bench = try HubBench(HubBench.model())
        let failure = await bench.failure("org/tiny", .model, Self.nobody)
        #expect(failure.contains("org/tiny: http://127.0.0.1:9/") && failure.contains("no connection"))
        let folder = try await bench.fetch("org/tiny")
        #expect(try await bench.fetch("org/tiny", .model, Self.nobody) == folder)
        #expect(bench.lines.text.contains("using the cached snapshot of commit \(HubBench.commit.prefix(12))"))
    }

    @Test("a server that refuses leaves what is in the cache", arguments: [401, 403, 404, 500])
    func refused(status: Int) async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        bench.server.disturb { call in call.path.hasPrefix("/api") ? .answer(status: status, body: "") : nil }
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(bench.lines.text.contains("using the cached snapshot"))
    }

    @Test("a snapshot without one of its shards is never taken for whole, whoever made it", arguments: [true, false])
    func missingShard(isRecorded: Bool) async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        if !isRecorded { try FileManager.default.removeItem(at: bench.cache.appending(path: "models--org--tiny/rto")) }
        // Another program has looked it up and fetched all but one.
        #expect(try await bench.fetch("org/tiny", .model, ["HF_HUB_OFFLINE": "1"]) == folder)
        let shard = "model-00002-of-00002.safetensors"
        try FileManager.default.removeItem(at: folder.appending(path: shard))
        for environment in [["HF_HUB_OFFLINE": "1"], Self.nobody] {
            #expect(
                await bench.failure("org/tiny", .model, environment).contains(
                    "holds only a part of it (missing: \(shard))"
                )
            )
        }
        // A link without its content is as good as none.
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/" + shard,
            withDestinationPath: "../../blobs/none"
        )
        #expect(await bench.failure("org/tiny", .model, Self.nobody).contains(shard))
        #expect(try await bench.fetch("org/tiny") == folder)
    }

    @Test("rows whose neighbours are missing are not whole")
    func missingRows() async throws {
        let names = (0..<3).map { "data/train-0000\($0)-of-00003.parquet" }
        let bench = try HubBench(
            HubBench.rows("org/rows", Dictionary(uniqueKeysWithValues: names.map { ($0, [1, UInt8($0.count)]) }))
        )
        let folder = try await bench.fetch("org/rows", .rows)
        try FileManager.default.removeItem(at: bench.cache.appending(path: "datasets--org--rows/rto"))
        #expect(try await bench.fetch("org/rows", .rows, ["HF_HUB_OFFLINE": "1"]) == folder)
        #expect(bench.lines.text.contains("the cache does not say whether all files of the data are there"))
        try FileManager.default.removeItem(at: folder.appending(path: names[1]))
        #expect(await bench.failure("org/rows", .rows, ["HF_HUB_OFFLINE": "1"]).contains("(missing: \(names[1]))"))
    }
}
