import Foundation
import TestSupport
import Testing

@testable import Hub

/// How long an unwell hub is waited for, with and without something in the cache.
@Suite struct PatienceTests {
    /// Answers all questions so once a model is in the cache, and returns how many were asked until the cache served.
    private func questions(
        _ reply: LoopbackServer.Reply,
        _ environment: [String: String] = [:]
    ) async throws -> (count: Int, said: String) {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        bench.server.disturb { _ in reply }
        let (calls, said) = (bench.server.calls.count, bench.lines.text)
        #expect(try await bench.fetch("org/tiny", .model, environment) == folder)
        return (bench.server.calls.count - calls, String(bench.lines.text.dropFirst(said.count)))
    }

    @Test("a hub that does not answer is asked once where the cache can serve")
    func silent() async throws {
        let (count, said) = try await questions(.stall, ["HF_HUB_ETAG_TIMEOUT": "0.3"])
        #expect(count == 1)
        #expect(said.contains("no whole answer within 0.3 s") && said.contains("using the cached snapshot"))
        #expect(said.filter { $0 == "\n" }.count == 1)
    }

    @Test("a hub that is busy is asked twice at most where the cache can serve")
    func busy() async throws {
        let (count, said) = try await questions(.answer(status: 503, body: "busy"))
        #expect(count == 2 && said.contains("the server answers 503") && said.filter { $0 == "\n" }.count == 1)
    }

    @Test("the silence that a hub wants is not waited for where the cache can serve")
    func rateLimited() async throws {
        let (count, said) = try await questions(.answer(status: 429, headers: ["Retry-After": "4"], body: ""))
        #expect(count == 1)
        #expect(said.contains("asks to be left alone for 4 s") && said.contains("using the cached snapshot"))
    }

    @Test("where the cache holds a part alone, a busy hub is waited for")
    func patient() async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny", .tokenizer)
        let calls = bench.server.calls.count
        bench.server.disturb { call in call.number < calls + 5 ? .answer(status: 503, body: "busy") : nil }
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(try bench.files(folder).contains("model-00002-of-00002.safetensors"))
    }

    @Test("within one process a name stands for one commit, whatever becomes of its branch")
    func oneCommit() async throws {
        let bench = try HubBench(HubBench.model())
        let hub = bench.hub()
        let name = try #require(RepositoryName("org/tiny", kind: .model))
        let first = try await hub.snapshot(of: name, .tokenizer)
        let moved = HubBench.movedModel()
        bench.server.replace(moved)
        bench.server.add(HubBench.model())
        #expect(try await hub.snapshot(of: name, .model) == first)
        #expect(first.name.revision == HubBench.commit)
        // Another process sees what is there now.
        #expect(try await bench.fetch("org/tiny").lastPathComponent == HubBench.later)
    }

    @Test("many who ask at once get one commit")
    func oneCommitAtOnce() async throws {
        let bench = try HubBench(HubBench.model())
        bench.server.disturb { call in
            guard call.path.hasPrefix("/api") else { return nil }
            var moved = HubBench.model()
            moved.commit = String(format: "%040x", call.number + 1)
            bench.server.add(moved)
            if call.path.contains("/revision/main") {
                return .answer(body: #"{"sha":"\#(moved.commit)","siblings":[{"rfilename":"config.json"}]}"#)
            }
            return nil
        }
        let hub = bench.hub()
        let name = try #require(RepositoryName("org/tiny", kind: .model))
        let commits = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 { group.addTask { try await hub.snapshot(of: name, .tokenizer).name.revision } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(commits.count == 1)
    }
}
