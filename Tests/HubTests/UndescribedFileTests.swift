import Foundation
import TestSupport
import Testing

@testable import Hub

/// Files of which a server says little: their length or their digest alone, or neither before they come.
@Suite struct UndescribedFileTests {
    private static let content = Array(#"{"model_type":"llama","vocab_size":32}"#.utf8)

    private func bench() throws -> HubBench {
        var one = HubServer.Repository("org/one", commit: HubBench.commit, ["config.json": Self.content])
        one.files["tokenizer.json"] = Array("{}".utf8)
        one.describesFiles = false
        return try HubBench(one)
    }

    /// Answers about `config.json`: for its header fields alone, and for its content.
    private func answer(_ bench: HubBench, head: String, body: @escaping @Sendable (Int) -> LoopbackServer.Reply) {
        bench.server.disturb { call in
            guard call.path.hasSuffix("/config.json") else { return nil }
            if call.method == "HEAD" { return .bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\(head)\r\n") }
            return body(call.number)
        }
    }

    private func isPlaced(_ bench: HubBench) -> Bool {
        let folder = bench.cache.path + "/models--org--one/snapshots/\(HubBench.commit)"
        return FileManager.default.fileExists(atPath: folder + "/config.json")
    }

    @Test("a body shorter than its own length is refused, where nothing else tells of it")
    func short() async throws {
        let bench = try bench()
        answer(bench, head: "ETag: \"chosen-1\"\r\n") { _ in
            .bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 38\r\n\r\n", Array(Self.content.prefix(12)))
        }
        let failure = await bench.failure("org/one", .tokenizer)
        #expect(failure.contains("config.json"))
        #expect(!isPlaced(bench))
    }

    @Test("a part that ends before the whole is refused, where nothing but the answer's range tells of it")
    func shortPart() async throws {
        let bench = try bench()
        let rest = Array(Self.content[12..<20])
        bench.server.disturb { call in
            guard call.path.hasSuffix("/config.json") else { return nil }
            let plain = "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"chosen-1\"\r\n\r\n"
            if call.method == "HEAD" { return .bytes(plain) }
            guard call.headers["range"] == "bytes=12-" else { return .part(Self.content, sent: 12) }
            return .bytes("HTTP/1.1 206 Partial\r\nConnection: close\r\nContent-Range: bytes 12-19/38\r\n\r\n", rest)
        }
        #expect(await bench.failure("org/one", .tokenizer).contains("config.json has 20 bytes instead of 38"))
        #expect(!isPlaced(bench))
    }

    @Test("a length that the content's own answer denies is noticed")
    func otherLength() async throws {
        let bench = try bench()
        answer(bench, head: "ETag: \"chosen-1\"\r\nContent-Length: 38\r\n") { _ in .file(Array(Self.content.prefix(12)))
        }
        #expect(await bench.failure("org/one", .tokenizer).contains("config.json has 12 bytes instead of 38"))
        #expect(!isPlaced(bench))
    }

    @Test("git's digest is checked without a length too")
    func wrongContent() async throws {
        let bench = try bench()
        let name = HubServer.gitName(Self.content)
        answer(bench, head: "ETag: \"\(name)\"\r\n") { _ in .file(Array("[]".utf8)) }
        #expect(await bench.failure("org/one", .tokenizer).contains("config.json has the digest"))
        #expect(!isPlaced(bench))
        answer(bench, head: "ETag: \"\(name)\"\r\n") { _ in .file(Self.content) }
        let folder = try await bench.fetch("org/one", .tokenizer)
        #expect(try bench.bytes(folder, "config.json") == Self.content)
    }

    @Test("a file with a name of the server's own and a length in its answer alone comes whole")
    func whole() async throws {
        let bench = try bench()
        answer(bench, head: "ETag: \"chosen-1\"\r\n") { _ in .file(Self.content) }
        let folder = try await bench.fetch("org/one", .tokenizer)
        #expect(try bench.bytes(folder, "config.json") == Self.content)
    }

    @Test("a hub that keeps a file elsewhere says its tag; one that says none leads astray")
    func elsewhere() async throws {
        let (bench, store) = (try bench(), try LoopbackServer { _ in .file(Self.content) })
        let tags = ["ETag: \"\(HubServer.gitName(Self.content))\"\r\n", ""]
        for (number, tag) in tags.enumerated() {
            bench.server.disturb { call in
                guard call.path.hasSuffix("/config.json") else { return nil }
                let head = "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n"
                return .bytes(head + "Location: \(store.address)/there\r\n\(tag)\r\n")
            }
            if number == 0 {
                let folder = try await bench.fetch("org/one", .tokenizer)
                #expect(try bench.bytes(folder, "config.json") == Self.content)
                try FileManager.default.removeItem(at: folder.appending(path: "config.json"))
            } else {
                #expect(await bench.failure("org/one", .tokenizer).contains("sends on to \(store.address)/there"))
            }
        }
    }

    @Test("header fields are asked for as the plain file has them, which a proxy that packs would not say")
    func packing() async throws {
        let bench = try bench()
        bench.server.disturb { call in
            guard call.method == "HEAD", call.headers["accept-encoding"] != "identity" else { return nil }
            return .bytes(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\nETag: W/\"packed\"\r\n\r\n"
            )
        }
        let folder = try await bench.fetch("org/one", .tokenizer)
        #expect(try bench.bytes(folder, "config.json") == Self.content)
        let blobs = try bench.files(bench.cache.appending(path: "models--org--one/blobs"))
        #expect(blobs.contains(HubServer.gitName(Self.content)))
        let questions = bench.server.calls.filter { $0.method == "HEAD" }
        #expect(questions.count == 2 && questions.allSatisfy { $0.headers["accept-encoding"] == "identity" })
    }
}
