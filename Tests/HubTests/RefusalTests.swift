import Foundation
import TestSupport
import Testing

@testable import Hub

/// What a server, a network or a listing can refuse, and what becomes of the token.
@Suite struct RefusalTests {
    @Test("the token goes to the hub, and to nobody else")
    func token() async throws {
        var model = HubBench.model()
        model.token = "hf_secret"
        let bench = try HubBench(model)
        let folder = try await bench.fetch("org/tiny", .model, ["HF_TOKEN": "hf_secret"])
        #expect(try bench.bytes(folder, "model-00001-of-00002.safetensors").count == 30_000)
        #expect(bench.server.calls.allSatisfy { $0.headers["authorization"] == "Bearer hf_secret" })
        #expect(bench.server.storeCalls.count == 2)
        #expect(bench.server.storeCalls.allSatisfy { $0.headers["authorization"] == nil })
        #expect(!bench.lines.text.contains("hf_secret"))
    }

    @Test("what may not be read is one sentence that says what to do, without the token")
    func refusals() async throws {
        var secret = HubBench.model("org/private")
        secret.token = "hf_other"
        var gated = HubBench.model("org/gated")
        gated.token = "hf_other"
        gated.isGated = true
        let bench = try HubBench(secret, gated)
        let environment = ["HF_TOKEN": "hf_mine"]
        for (name, mention) in [
            ("org/missing", "has no model of this name, or it is private"),
            ("org/private", "has no model of this name, or it is private"),
            ("org/gated", "org/gated is gated: accept its conditions at http"),
            ("org/private@nowhere", "has no model of this name"),
        ] {
            let failure = await bench.failure(name, .model, environment)
            #expect(failure.contains(mention) && failure.contains("HF_TOKEN") && !failure.contains("hf_mine"))
            #expect(!failure.contains("\n"))
        }
        #expect(await bench.failure("org/missing", .rows).contains("has no data set of this name"))
        bench.server.replace(HubBench.model())
        #expect(await bench.failure("org/tiny@v9").contains("org/tiny: has no branch, tag or commit 'v9'"))
        bench.server.disturb { call in
            call.path.hasPrefix("/api")
                ? .answer(
                    status: 401,
                    headers: ["X-Error-Message": "Invalid credentials in Authorization header"],
                    body: ""
                ) : nil
        }
        #expect(await bench.failure("org/tiny", .model, environment).contains("does not know the token of HF_TOKEN"))
    }

    @Test("a file that is listed and not there is named")
    func missingFile() async throws {
        var model = HubBench.model()
        model.claimed = ["vocab.json"]
        let bench = try HubBench(model)
        #expect(await bench.failure("org/tiny").contains("lists the file vocab.json and does not have it"))
    }

    @Test(
        "a listing that would leave its folder is refused whole",
        arguments: [
            "../escape.json", "/etc/escape.json", "a/../../escape.json", "a//b.json", "nul\0.json", "a\\b.json", ".",
            "a\u{1B}b",
        ]
    )
    func hostile(name: String) async throws {
        var model = HubBench.model()
        model.claimed = [name]
        let bench = try HubBench(model)
        let failure = await bench.failure("org/tiny")
        #expect(failure.contains("which would be written outside its folder") && !failure.contains("\u{1B}"))
        #expect(bench.server.calls.count == 1 && !FileManager.default.fileExists(atPath: bench.cache.path))
    }

    @Test("listings that nobody could mean are refused")
    func absurd() async throws {
        let bench = try HubBench(HubBench.model())
        func failure(_ body: String) async -> String {
            bench.server.disturb { call in call.path.hasPrefix("/api") ? .answer(body: body) : nil }
            return await bench.failure("org/tiny")
        }
        let commit = HubBench.commit
        let file = #"{"rfilename":"config.json","size":1}"#
        #expect(await failure(#"{"sha":"\#(commit)","siblings":[\#(file),\#(file)]}"#).contains("twice"))
        #expect(
            await failure(#"{"sha":"\#(commit)","siblings":[{"rfilename":"a","size":-5}]}"#).contains("has -5 bytes")
        )
        #expect(await failure(#"{"sha":"../..","siblings":[]}"#).contains("names no commit"))
        #expect(await failure(#"{"sha":"\#(commit)"}"#).contains("lists no files"))
        #expect(await failure("<html>").contains("answers with no JSON"))
        let many = (0...RepositoryListing.fileLimit).map { #"{"rfilename":"\#($0)"}"# }.joined(separator: ",")
        #expect(await failure(#"{"sha":"\#(commit)","siblings":[\#(many)]}"#).contains("more than 100000 files"))
    }

    @Test("an index that names what is not there, or leaves the folder, is refused")
    func badIndex() async throws {
        for (shard, mention) in [
            ("model-9.safetensors", "names the shard model-9.safetensors"),
            ("../x", "which is no file of the directory"),
        ] {
            var model = HubBench.model()
            model.files["model.safetensors.index.json"] = Array(#"{"weight_map":{"a":"\#(shard)"}}"#.utf8)
            let bench = try HubBench(model)
            let failure = await bench.failure("org/tiny")
            #expect(failure.contains(mention))
        }
    }

    @Test("redirections: to the new name of a repository, never from one server's key to another's")
    func redirections() async throws {
        let bench = try HubBench(HubBench.model("org/new"))
        bench.server.disturb { call in
            guard call.path.hasPrefix("/api/models/org/old") else { return nil }
            let place = call.path.replacingOccurrences(of: "org/old", with: "org/new")
            return .answer(status: 307, headers: ["Location": place], body: "")
        }
        let hub = bench.hub()
        let name = try #require(RepositoryName("org/old", kind: .model))
        #expect(try await hub.listing(of: name).commit == HubBench.commit)
        bench.server.disturb { call in
            call.path.hasPrefix("/api") ? .answer(status: 307, headers: ["Location": call.path], body: "") : nil
        }
        #expect(await bench.failure("org/old").contains("redirects more than 10 times"))
    }
}
