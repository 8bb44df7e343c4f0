import Foundation
import TestSupport
import Testing

@testable import Hub

/// A Python with `huggingface_hub`, named by the environment where there is one.
private let python = ProcessInfo.processInfo.environment["RTO_TEST_PYTHON_HUB"]

/// Both programs against one server and one cache.
@Suite(.enabled(if: python != nil, "RTO_TEST_PYTHON_HUB names no Python with huggingface_hub"))
struct PythonAgreementTests {
    /// Runs a script and returns what it prints.
    private func run(_ script: String, _ bench: HubBench, _ environment: [String: String] = [:]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = ["-c", script]
        let usual = [
            "HF_HUB_CACHE": bench.cache.path, "HF_ENDPOINT": bench.server.address, "HOME": bench.directory.url.path,
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        ]
        process.environment = usual.merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }

    @Test("what is fetched here is found there, and listed without a warning", arguments: ["0", "1"])
    func found(withoutLinks: String) async throws {
        let rows = HubBench.rows("org/rows", ["README.md": [1], "data/train.jsonl": [2, 3]])
        let bench = try HubBench(HubBench.model(), HubBench.model("single"), rows)
        let environment = ["HF_HUB_DISABLE_SYMLINKS": withoutLinks]
        let model = try await bench.fetch("org/tiny", .model, environment)
        let single = try await bench.fetch("single", .tokenizer, environment)
        let data = try await bench.fetch("org/rows@refs/pr/1", .rows, environment)
        let script = """
            from huggingface_hub import snapshot_download, scan_cache_dir, try_to_load_from_cache
            print(snapshot_download("org/tiny", local_files_only=True))
            print(snapshot_download("single", local_files_only=True))
            print(snapshot_download("org/rows", repo_type="dataset", revision="refs/pr/1", local_files_only=True))
            print(try_to_load_from_cache("org/tiny", "config.json"))
            print(try_to_load_from_cache("org/tiny", "generation_config.json") is not None)
            info = scan_cache_dir()
            print(len(info.warnings), sorted((r.repo_id, r.repo_type, r.nb_files, sorted(r.refs)) for r in info.repos))
            """
        let printed = try run(script, bench, environment)
        #expect(
            printed == """
                \(model.path)
                \(single.path)
                \(data.path)
                \(model.path)/config.json
                True
                0 [('org/rows', 'dataset', 2, ['refs/pr/1']), ('org/tiny', 'model', 6, ['main']), ('single', 'model', 3, ['main'])]

                """
        )
        // Online, the other program completes what nobody needs here, and fetches nothing again.
        let stored = bench.server.storeCalls.count
        let online = "from huggingface_hub import snapshot_download as s; print(s('org/tiny', ignore_patterns='*.bin'))"
        #expect(try run(online, bench, environment) == model.path + "\n")
        #expect(bench.server.storeCalls.count == stored)
    }

    /// What a repository's folder of a cache holds: every file of snapshots and blobs, as a link or by itself, and its bytes.
    private func layout(_ bench: HubBench) throws -> [String] {
        let folder = bench.cache.appending(path: "models--org--tiny")
        return try bench.files(folder).filter { $0.hasPrefix("snapshots/") || $0.hasPrefix("blobs/") }.map { name in
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/" + name)
            return "\(name) \(link ?? "itself") \(HubServer.gitName(try bench.bytes(folder, name)))"
        }
    }

    @Test("a snapshot without links beside one with them is laid out alike")
    func withoutLinks() async throws {
        let script = """
            from huggingface_hub import snapshot_download as s
            s('org/tiny', allow_patterns=['*.json', '*.safetensors', '*.jinja'])
            """
        let environment = ["HF_HUB_DISABLE_SYMLINKS": "1"]
        var layouts: [[String]] = []
        for isPython in [true, false] {
            let bench = try HubBench(HubBench.model())
            for (number, variables) in [[:], environment].enumerated() {
                if isPython {
                    _ = try run(script, bench, variables)
                } else {
                    _ = try await bench.fetch("org/tiny", .model, variables)
                }
                let moved = HubBench.movedModel()
                if number == 0 { bench.server.replace(moved) }
            }
            layouts.append(try layout(bench))
        }
        #expect(layouts[0] == layouts[1] && layouts[0].count == 3 * 6)
    }

    @Test("what is fetched there is found here, whole and in part")
    func finds() async throws {
        let bench = try HubBench(
            HubBench.model(),
            HubBench.rows("org/rows", ["README.md": [1], "data/train.jsonl": [2, 3]])
        )
        let script = """
            from huggingface_hub import snapshot_download, hf_hub_download
            print(snapshot_download("org/tiny"))
            print(snapshot_download("org/rows", repo_type="dataset"))
            """
        let folders = try run(script, bench).split(separator: "\n").map(String.init)
        let offline = ["HF_HUB_OFFLINE": "1"]
        #expect(try await bench.fetch("org/tiny", .model, offline).path == folders[0])
        #expect(try await bench.fetch("org/rows", .rows, offline).path == folders[1])
        let calls = bench.server.calls.count
        #expect(try await bench.fetch("org/tiny@" + HubBench.commit).path == folders[0])
        #expect(try await bench.fetch("org/rows", .rows).path == folders[1])
        // An older program leaves no listing, so that the commit is asked for too.
        #expect(bench.server.calls.count <= calls + 2)

        let part = try HubBench(HubBench.model())
        for name in [
            "config.json", "tokenizer.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
        ] {
            _ = try run("from huggingface_hub import hf_hub_download as d; d('org/tiny', '\(name)')", part)
        }
        #expect(try await part.fetch("org/tiny", .tokenizer, offline).lastPathComponent == HubBench.commit)
        #expect(await part.failure("org/tiny", .model, offline).contains("(missing: model-00002-of-00002.safetensors)"))
        let stored = part.server.storeCalls.count
        _ = try await part.fetch("org/tiny")
        #expect(part.server.storeCalls.count == stored + 1)
    }
}
