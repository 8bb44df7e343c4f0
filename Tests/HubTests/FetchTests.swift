import Foundation
import HTTP
import TestSupport
import Testing

@testable import Hub

/// Whole fetches from a server of this machine.
@Suite struct FetchTests {
    @Test("a model comes whole, without what nobody reads, in the layout that all programs share")
    func model() async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        let repository = bench.cache.appending(path: "models--org--tiny")
        #expect(folder.path == repository.path + "/snapshots/" + HubBench.commit)
        let names = [
            "additional_chat_templates/tool use+é.jinja", "config.json", "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json",
        ]
        #expect(try bench.files(folder) == names)
        let model = HubBench.model()
        for name in names {
            let content = try #require(model.files[name])
            #expect(try bench.bytes(folder, name) == content)
            let digest = model.large.contains(name) ? HubServer.largeName(content) : HubServer.gitName(content)
            let up = name.contains("/") ? "../../../" : "../../"
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/" + name)
            #expect(link == up + "blobs/" + digest)
        }
        #expect(try String(contentsOfFile: repository.path + "/refs/main", encoding: .utf8) == HubBench.commit)
        #expect(try bench.files(repository.appending(path: "blobs")).count == names.count)
        #expect(
            FileManager.default.fileExists(
                atPath: repository.path + "/.no_exist/\(HubBench.commit)/generation_config.json"
            )
        )
        #expect(bench.lines.text.contains("fetching org/tiny: 5 files, 230.0 kB"))
        #expect(bench.lines.text.contains("fetched org/tiny: "))
    }

    @Test("what is there is not fetched again, and a commit that is whole is not asked for")
    func cached() async throws {
        let bench = try HubBench(HubBench.model())
        let first = try await bench.fetch("org/tiny")
        let calls = bench.server.calls.count
        #expect(try await bench.fetch("org/tiny") == first)
        #expect(bench.server.calls.count == calls + 1)
        #expect(try await bench.fetch("org/tiny@" + HubBench.commit) == first)
        #expect(bench.server.calls.count == calls + 1)
        #expect(try await bench.fetch("org/tiny", .model, ["HF_HUB_OFFLINE": "1"]) == first)
        #expect(try await bench.fetch("org/tiny@refs/pr/1") == first)
        #expect(bench.server.calls.count == calls + 2)
        #expect(FileManager.default.fileExists(atPath: bench.cache.path + "/models--org--tiny/refs/refs/pr/1"))
    }

    @Test("a branch that moves on brings what has changed alone")
    func movingBranch() async throws {
        let bench = try HubBench(HubBench.model())
        let first = try await bench.fetch("org/tiny")
        let moved = HubBench.movedModel()
        bench.server.replace(moved)
        let (calls, stored) = (bench.server.calls.count, bench.server.storeCalls.count)
        let second = try await bench.fetch("org/tiny")
        #expect(second.lastPathComponent == HubBench.later && first.lastPathComponent == HubBench.commit)
        #expect(try bench.bytes(second, "config.json") == Array("[2]".utf8))
        #expect(try bench.bytes(first, "config.json") == HubBench.model().files["config.json"])
        #expect(bench.server.calls.dropFirst(calls).map(\.path).count == 2)
        #expect(bench.server.storeCalls.count == stored)
        // The commit that was recorded is still what it was.
        #expect(try await bench.fetch("org/tiny@" + HubBench.commit) == first)
    }

    @Test("a tokenizer comes without weights, and the model completes it")
    func tokenizer() async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny", .tokenizer)
        #expect(try bench.files(folder).contains("tokenizer.json") && bench.server.storeCalls.isEmpty)
        let offline = await bench.failure("org/tiny", .model, ["HF_HUB_OFFLINE": "1"])
        #expect(offline.contains("holds only a part of it (missing: model.safetensors.index.json)"))
        #expect(try await bench.fetch("org/tiny") == folder)
        #expect(bench.server.storeCalls.count == 2)
    }

    @Test("one file of weights goes before shards, and an adapter comes without others' weights")
    func weights() async throws {
        var single = HubBench.model("org/single")
        single.files["model.safetensors"] = [1, 2, 3]
        var adapter = HubBench.model("org/adapter")
        adapter.files["adapter_config.json"] = Array("{}".utf8)
        adapter.files["adapter_model.safetensors"] = [4, 5]
        let bench = try HubBench(single, adapter)
        let names = try bench.files(try await bench.fetch("org/single"))
        #expect(names.filter { $0.contains("model") } == ["model.safetensors"])
        let parts = try bench.files(try await bench.fetch("org/adapter")).filter { $0.contains("model") }
        #expect(parts == ["adapter_model.safetensors"])
    }

    @Test("pickles alone are refused with what to do")
    func pickles() async throws {
        let bench = try HubBench(
            HubServer.Repository("org/old", commit: HubBench.commit, ["config.json": [1], "pytorch_model.bin": [2]])
        )
        let failure = await bench.failure("org/old")
        #expect(
            failure.contains("org/old holds weights only as pickle (pytorch_model.bin)")
                && failure.contains("safe_serialization")
        )
        #expect(bench.server.calls.count == 1)
    }

    @Test("rows come with the page that names their splits")
    func rows() async throws {
        let bench = try HubBench(
            HubBench.rows(
                "org/rows",
                [
                    "README.md": [1], "train.jsonl": [2], "data/test-00000-of-00001.parquet": [3], "more.json.gz": [4],
                    "x.jsonl.zst": [5], "dataset_infos.json": [6], ".hidden.json": [7], "script.py": [8],
                    "image.png": [9],
                ]
            ),
            HubBench.rows("org/pictures", ["a.png": [1], "b.csv": [2]])
        )
        let folder = try await bench.fetch("org/rows", .rows)
        let names = ["README.md", "data/test-00000-of-00001.parquet", "more.json.gz", "train.jsonl", "x.jsonl.zst"]
        #expect(try bench.files(folder) == names)
        #expect(folder.path.contains("/datasets--org--rows/snapshots/"))
        #expect(
            bench.server.calls.allSatisfy { $0.path.hasPrefix("/api/datasets/") || $0.path.hasPrefix("/datasets/") }
        )
        #expect(
            await bench.failure("org/pictures", .rows).contains(
                "holds no rows that can be read (.jsonl, .json or .parquet), only .csv, .png"
            )
        )
    }

    @Test("a server that lists neither sizes nor digests is asked for each file")
    func undescribed() async throws {
        var model = HubBench.model()
        model.describesFiles = false
        let bench = try HubBench(model)
        let folder = try await bench.fetch("org/tiny")
        #expect(try bench.bytes(folder, "model-00002-of-00002.safetensors") == HubBench.content(200_000, seed: 2))
        #expect(bench.server.calls.filter { $0.method == "HEAD" }.count == 6)
        let blobs = try bench.files(bench.cache.appending(path: "models--org--tiny/blobs"))
        #expect(blobs.contains(HubServer.largeName(HubBench.content(30_000, seed: 1))))
    }

    @Test("a whole snapshot serves where nothing can be written")
    func readOnly() async throws {
        let bench = try HubBench(HubBench.model())
        let folder = try await bench.fetch("org/tiny")
        let repository = bench.cache.appending(path: "models--org--tiny").path
        // Files where folders should be stop whoever writes, the superuser too.
        for name in ["rto", "refs", ".no_exist"] {
            try FileManager.default.removeItem(atPath: repository + "/" + name)
            try Data().write(to: URL(filePath: repository + "/" + name))
        }
        #expect(try await bench.fetch("org/tiny") == folder)
        try FileManager.default.removeItem(at: folder.appending(path: "config.json"))
        #expect(await bench.failure("org/tiny").contains("/rto"))
    }

    @Test("without links a snapshot holds the files themselves")
    func withoutLinks() async throws {
        var model = HubBench.model()
        // Two files of one content.
        model.files["vocab.json"] = model.files["tokenizer.json"]
        let bench = try HubBench(model)
        let environment = ["HF_HUB_DISABLE_SYMLINKS": "1"]
        let folder = try await bench.fetch("org/tiny", .model, environment)
        for name in try bench.files(folder) {
            #expect(throws: (any Error).self) {
                try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/" + name)
            }
            #expect(try bench.bytes(folder, name) == model.files[name])
        }
        let calls = bench.server.calls.count
        _ = try await bench.fetch("org/tiny", .model, environment)
        #expect(bench.server.calls.count == calls + 1)
    }
}
