import Foundation
import JSONText
import TestSupport
import Testing

@testable import Hub

/// Sizes that no file has, wherever they are written: none of them may end the process.
@Suite struct AbsurdNumberTests {
    private static let sizes: [String] = [
        "9223372036854775807", "-9223372036854775808", "-5", "99999999999999999999999", "1e18",
    ]

    private func undescribed() throws -> HubBench {
        var model = HubBench.model()
        model.describesFiles = false
        return try HubBench(model)
    }

    @Test("in header fields", arguments: sizes)
    func headers(size: String) async throws {
        let bench = try undescribed()
        bench.server.disturb { call in
            guard call.method == "HEAD" else { return nil }
            let tag = #""\#(HubServer.largeName(Array(call.path.utf8)))""#
            return .bytes(
                "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: http://127.0.0.1:9/\r\nX-Linked-Etag: \(tag)\r\n"
                    + "X-Linked-Size: \(size)\r\nContent-Length: 0\r\n\r\n"
            )
        }
        let failure = await bench.failure("org/tiny", .tokenizer)
        #expect(failure.contains("says that") && failure.contains("has \(size) bytes"))
    }

    /// Foundation's own networking ends the process at a length that rounds to 2⁶³, before anybody could look at it: the last 512
    /// numbers of 64 bits.
    private static let contentLengths: [String] = ["9223372036854774784"] + sizes.dropFirst()

    @Test("in lengths of content", arguments: contentLengths)
    func lengths(size: String) async throws {
        let bench = try undescribed()
        bench.server.disturb { call in
            guard call.path.contains("/resolve/") else { return nil }
            let tag = #""\#(HubServer.gitName(Array(call.path.utf8)))""#
            return .bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \(tag)\r\nContent-Length: \(size)\r\n\r\n")
        }
        let failure = await bench.failure(
            "org/tiny",
            .tokenizer,
            ["HF_HUB_ETAG_TIMEOUT": "2", "HF_HUB_DOWNLOAD_TIMEOUT": "2"]
        )
        #expect(failure.hasPrefix("org/tiny") && !failure.contains("\n"))
    }

    @Test("in ranges of content")
    func ranges() async throws {
        let bench = try HubBench(HubBench.model())
        let blobs = bench.cache.appending(path: "models--org--tiny/blobs")
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        let shard = HubBench.content(30_000, seed: 1)
        for range in ["bytes 100-9223372036854775807/9223372036854775807", "bytes -100-5/-7", "bytes 100-*/x", "100"] {
            try Data(shard.prefix(100)).write(to: blobs.appending(path: HubServer.largeName(shard) + ".incomplete"))
            bench.server.disturb { call in
                guard call.path.hasPrefix("/store"), call.headers["range"] != nil else { return nil }
                return .bytes("HTTP/1.1 206 Partial\r\nConnection: close\r\nContent-Range: \(range)\r\n\r\n", [1, 2])
            }
            let failure = await bench.failure("org/tiny", .model)
            #expect(failure.hasPrefix("org/tiny"))
        }
    }

    @Test("in a cache's own listing, which is then written anew", arguments: sizes)
    func stored(size: String) async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        let record = bench.cache.appending(path: "models--org--tiny/rto/\(HubBench.commit).json")
        let whole = try Data(contentsOf: record)
        let damaged = String(decoding: whole, as: UTF8.self).replacing(/"(size|lfs_size)":\d+/) {
            #""\#($0.output.1)":\#(size)"#
        }
        #expect(damaged.contains(size))
        try Data(damaged.utf8).write(to: record)
        _ = await bench.failure("org/tiny", .model, ["HF_HUB_OFFLINE": "1"])
        try FileManager.default.removeItem(at: folder.appending(path: "config.json"))
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(try Data(contentsOf: record) == whole)
        #expect(try await bench.fetch("org/tiny", .model, ["HF_HUB_OFFLINE": "1"]) == folder)
    }

    @Test("in what is told of progress")
    func progress() {
        let lines = HubBench.Lines()
        let progress = FetchProgress("org/tiny", isTerminal: true) { lines.write($0) }
        for count in [Int.max, .max, 5, .min, .min, -1] {
            progress.begin(files: 2, bytes: count, from: "here")
            progress.arrived(count, isTransfer: false)
            progress.arrived(count)
        }
        progress.finish()
        #expect(lines.text.contains("fetched org/tiny"))
    }
}
