import Foundation
import TestSupport
import Testing

@testable import Hub

/// Snapshots with links and snapshots without them in one cache.
@Suite struct SharedBlobTests {
    private static let withoutLinks = ["HF_HUB_DISABLE_SYMLINKS": "1"]

    private func isLink(_ folder: URL, _ name: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/" + name)) != nil
    }

    @Test("a snapshot without links takes no content from one that has links to it")
    func older() async throws {
        let bench = try HubBench(HubBench.model())
        let first = try await bench.fetch("org/tiny")
        let moved = HubBench.movedModel()
        bench.server.replace(moved)
        let stored = bench.server.storeCalls.count
        let second = try await bench.fetch("org/tiny", .model, Self.withoutLinks)
        for name in try bench.files(second) {
            #expect(!isLink(second, name))
            #expect(try bench.bytes(second, name) == moved.files[name])
        }
        #expect(try bench.files(first).count == bench.files(second).count)
        for name in try bench.files(first) {
            #expect(isLink(first, name))
            #expect(try bench.bytes(first, name) == HubBench.model().files[name])
        }
        // What was there was copied, and what is new was moved: a copy of it would serve nobody.
        #expect(bench.server.storeCalls.count == stored)
        let blobs = bench.cache.appending(path: "models--org--tiny/blobs")
        #expect(!FileManager.default.fileExists(atPath: blobs.path + "/" + HubServer.gitName(Array("[2]".utf8))))
        #expect(try bench.files(blobs).count == bench.files(first).count)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: bench.cache.path + "/models--org--tiny/rto")
                .allSatisfy { !$0.hasSuffix(".partial") }
        )
    }

    @Test("two files of one content are fetched once, links or none", arguments: ["0", "1"])
    func twins(withoutLinks: String) async throws {
        var model = HubBench.model()
        model.files["vocab.json"] = model.files["tokenizer.json"]
        let bench = try HubBench(model)
        let folder = try await bench.fetch("org/tiny", .tokenizer, ["HF_HUB_DISABLE_SYMLINKS": withoutLinks])
        for name in ["vocab.json", "tokenizer.json"] {
            #expect(try bench.bytes(folder, name) == model.files[name])
            #expect(isLink(folder, name) == (withoutLinks == "0"))
        }
        #expect(
            bench.server.calls.filter { $0.path.hasSuffix("/vocab.json") || $0.path.hasSuffix("/tokenizer.json") }.count
                == 1
        )
    }
}
