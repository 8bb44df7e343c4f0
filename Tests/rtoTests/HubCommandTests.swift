import Foundation
import JSONText
import Models
import PocketWorld
import TestSupport
import Testing

/// Models and data by their names on a hub, as they are typed.
@Suite("Names on a hub as commands take them")
struct HubCommandTests {
    let bench: HubCommandBench
    private var directory: TemporaryDirectory { bench.directory }
    private var server: HubServer { bench.server }

    init() throws {
        bench = try HubCommandBench(HubCommandBench.model(), HubCommandBench.rows())
    }

    private func run(_ script: String, _ environment: [String: String] = [:]) throws -> Int32 {
        try bench.run(script, environment)
    }

    private func text(_ name: String) throws -> String { try bench.text(name) }

    private static let training =
        "$RTO train sft --model org/tiny --data org/rows@1 --epochs 1 --batch-size 4 --max-length 8 --device cpu --threads 1 "

    @Test("training fetches, records the commits, and repeats and resumes with them when the branch has moved on")
    func training() throws {
        #expect(try run(Self.training + "--output first 2> log") == 0)
        let log = try text("log")
        #expect(log.contains("fetching org/tiny: 2 files") && log.contains("fetching org/rows: 1 file"))
        #expect(!log.contains("hf_secret"))
        let recipe = try text("first/recipe.yaml")
        #expect(recipe.contains("model: \"org/tiny@\(HubCommandBench.commit)\""))
        #expect(recipe.contains("data: [\"org/rows@\(HubCommandBench.commit)@1\"]"))
        #expect(!recipe.contains("hub_commits") && !recipe.contains("hf_secret"))

        server.replace(try HubCommandBench.model("org/tiny", HubCommandBench.later, seed: 9))
        server.replace(HubCommandBench.rows("org/rows", HubCommandBench.later, firstToken: 9))
        let calls = server.calls.count
        #expect(try run("$RTO train sft --config first/recipe.yaml --output again 2> log") == 0)
        // Nobody was asked: a commit that is whole in the cache is what it is.
        #expect(server.calls.count == calls)
        let weights = "model.safetensors"
        let (first, again) = (directory.url.appending(path: "first/"), directory.url.appending(path: "again/"))
        #expect(
            FileManager.default.contentsEqual(atPath: first.path + "/" + weights, andPath: again.path + "/" + weights)
        )

        // A run that was stopped at its second step goes on with the commits of its start.
        #expect(try run(Self.training + "--output moved --save-every 2 2> log") == 0)
        let moved = directory.url.appending(path: "moved")
        let whole = try Data(contentsOf: moved.appending(path: weights))
        #expect(try whole != Data(contentsOf: first.appending(path: weights)))
        for name in ["config.json", weights, "checkpoint-4"] {
            try FileManager.default.removeItem(at: moved.appending(path: name))
        }
        server.replace(try HubCommandBench.model())
        #expect(try run("$RTO resume moved 2> log", ["HF_HUB_OFFLINE": "1"]) == 0)
        #expect(try text("log").contains("going on after step 2"))
        #expect(try Data(contentsOf: moved.appending(path: weights)) == whole)
    }

    @Test("generating from a name is generating from its directory, and goes on when the cache has moved")
    func generating() throws {
        let options = "--max-new-tokens 6 --device cpu --threads 1 --greedy "
        try directory.write("prompts.jsonl", #"{"prompt_ids":[1,3]}"# + "\n")
        #expect(try run("$RTO generate --model org/tiny --data prompts.jsonl \(options) > named 2> log") == 0)
        let snapshot = "hf/hub/models--org--tiny/snapshots/" + HubCommandBench.commit
        #expect(try run("$RTO generate --model \(snapshot) --data prompts.jsonl \(options) > path 2> log") == 0)
        #expect(try text("named") == text("path") && !text("named").isEmpty)
        #expect(try text("log").isEmpty || !text("log").contains("fetching"))
        // An existing path goes before a name.
        #expect(
            try run(
                "mkdir org && cp -rL \(snapshot) org/tiny && $RTO generate --model org/tiny --data prompts.jsonl \(options) > here 2> log",
                ["HF_ENDPOINT": "http://127.0.0.1:9"]
            ) == 0
        )
        #expect(try text("here") == text("path"))
    }

    @Test("an adapter brings the base that it names, and a trained one names base and commit")
    func adapters() throws {
        #expect(try run(Self.training + "--lora-rank 2 --output adapter 2> log") == 0)
        let adapter = try text("adapter/adapter_config.json")
        #expect(
            adapter.contains(#""base_model_name_or_path": "org/tiny""#)
                && adapter.contains(#""revision": "\#(HubCommandBench.commit)""#)
        )
        try directory.write("prompts.jsonl", #"{"prompt_ids":[1,3]}"# + "\n")
        let generating =
            "$RTO generate --model adapter --data prompts.jsonl --max-new-tokens 6 --device cpu --threads 1 --greedy "
        #expect(try run(generating + "> cached 2> log", ["HF_HUB_OFFLINE": "1"]) == 0)
        #expect(try run("rm -r hf && " + generating + "> fetched 2> log") == 0)
        #expect(try text("cached") == text("fetched") && text("log").contains("fetching org/tiny"))

        // An adapter of others names no commit: the recipe keeps the one that was found.
        try directory.write(
            "adapter/adapter_config.json",
            adapter.replacingOccurrences(of: "\"\(HubCommandBench.commit)\"", with: "null")
        )
        let words =
            "$RTO train sft --model adapter --data org/rows --epochs 1 --batch-size 8 --max-length 8 --device cpu --threads 1 "
        #expect(try run(words + "--save-every 1 --output more 2> log") == 0)
        #expect(try text("more/recipe.yaml").contains("org/tiny@" + HubCommandBench.commit))
        let whole = try text("more/adapter_config.json")
        let weights = try Data(contentsOf: directory.url.appending(path: "more/adapter_model.safetensors"))
        #expect(whole.contains(HubCommandBench.commit))
        #expect(try run("cd more && rm -r adapter_config.json adapter_model.safetensors checkpoint-2") == 0)
        server.replace(try HubCommandBench.model("org/tiny", HubCommandBench.later, seed: 9))
        #expect(try run("$RTO resume more 2> log") == 0)
        #expect(try text("more/adapter_config.json") == whole)
        #expect(try Data(contentsOf: directory.url.appending(path: "more/adapter_model.safetensors")) == weights)
    }

    @Test(
        "what is neither here nor there is one sentence and status 65",
        arguments: [
            (
                "train sft --model org/none --data org/rows --output run",
                "--model: there is no file or directory org/none here, and org/none: http"
            ),
            (
                "train sft --model org/tiny --data org/none --output run",
                "--data: there is no file or directory org/none here, and org/none: http"
            ),
            ("train sft --model ./none --data org/rows --output run", "--model: there is no ./none"),
            ("train sft --model org/tiny --data none.jsonl --output run", "--data: there is no none.jsonl"),
            ("train sft --model org/tiny@v9 --data org/rows --output run", "has no branch, tag or commit 'v9'"),
            ("tokenize --model org/none", "--model: there is no file or directory org/none here"),
            ("render --model no/such/place", "--model: there is no no/such/place"),
        ]
    )
    func missing(words: String, mention: String) throws {
        #expect(try run("$RTO \(words) < /dev/null 2> log") == 65)
        let lines = try text("log").split(separator: "\n").filter { $0.hasPrefix("rto: ") }
        #expect(lines.count == 1 && lines.first?.contains(mention) == true)
        #expect(!FileManager.default.fileExists(atPath: directory.url.path + "/run"))
    }

    @Test("two processes at once share the work, and one that is killed leaves what the next goes on with")
    func processes() throws {
        let large = [UInt8](repeating: 5, count: 3_000_000)
        var repository = HubServer.Repository(
            "org/large",
            commit: HubCommandBench.commit,
            ["tokenizer.json": large],
            large: ["tokenizer.json"]
        )
        repository.files["config.json"] = Array("{}".utf8)
        server.replace(repository)
        server.disturb { call in
            call.path.hasPrefix("/store") && call.headers["range"] == nil
                ? .part(large, sent: 2_000_000, thenStalls: true) : nil
        }
        let process = try directory.shell(
            "exec $RTO tokenize --model org/large < /dev/null 2> killed",
            [
                "HF_HOME": directory.url.path + "/hf", "HF_ENDPOINT": server.address, "HF_HUB_OFFLINE": "",
                "HF_HUB_CACHE": "",
            ]
        )
        let blob = directory.url.path + "/hf/hub/models--org--large/blobs/" + HubServer.largeName(large) + ".incomplete"
        func size() -> Int { (try? FileManager.default.attributesOfItem(atPath: blob)[.size] as? Int) ?? 0 }
        while size() < 2_000_000, process.isRunning { usleep(10_000) }
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(size() == 2_000_000)
        // Both end with 65, since this is no tokenizer; what they say comes after the fetch.
        let both =
            "$RTO tokenize --model org/large < /dev/null 2> a & $RTO tokenize --model org/large < /dev/null 2> b; wait"
        #expect(try run("{ \(both); }") == 0)
        #expect(server.storeCalls.map { $0.headers["range"] ?? "all" } == ["all", "bytes=2000000-"])
        #expect(try !text("a").contains("digest") && !text("b").contains("digest"))
    }

    @Test("doctor says where the hub is and that there is a token, never which")
    func doctor() throws {
        #expect(try run("$RTO doctor > out 2> log") == 0)
        let out = try text("out")
        #expect(
            out.contains("hub_cache: \(directory.url.path)/hf/hub\n")
                && out.contains("hub_endpoint: \(server.address)\n")
        )
        #expect(
            out.contains("hub_offline: false\n") && out.contains("hub_token: yes (HF_TOKEN)\n")
                && !out.contains("secret")
        )
    }
}
