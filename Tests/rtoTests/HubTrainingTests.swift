import Foundation
import TestSupport
import Testing

/// From names alone to a trained model.
@Suite("Training on a model and data of a hub")
struct HubTrainingTests {
    @Test("one step on a model and a split of data by their names, and the same again from the cache alone")
    func step() throws {
        func rows(_ answer: String) -> [UInt8] {
            let lines = (0..<8).map {
                #"{"messages":[{"role":"user","content":"\#($0)?"},{"role":"assistant","content":"\#(answer)"}]}"#
                    + "\n"
            }
            return Array(lines.joined().utf8)
        }
        let files = ["README.md": Array("# Rows".utf8), "data/train.jsonl": rows("ab"), "data/test.jsonl": rows("no")]
        let data = HubServer.Repository("org/name", commit: HubCommandBench.later, kind: "datasets", files)
        let bench = try HubCommandBench(HubCommandBench.model(hasTokenizer: true), data)
        let words =
            "$RTO train sft --model org/tiny --data org/name:train --eval-data org/name:test --max-steps 1 --batch-size 4 "
            + "--max-length 64 --learning-rate 0.01 --warmup-ratio 0 --device cpu --threads 1 "
        #expect(try bench.run(words + "--output online 2> log") == 0)
        #expect(try bench.text("log").contains("fetching org/name: 3 files"))
        let recipe = try bench.text("online/recipe.yaml")
        #expect(recipe.contains("model: \"org/tiny@\(HubCommandBench.commit)\""))
        #expect(recipe.contains("org/name@\(HubCommandBench.later):train"))
        #expect(recipe.contains("org/name@\(HubCommandBench.later):test"))
        // It did learn something, on four of the eight rows of the split.
        let start = try bench.data("hf/hub/models--org--tiny/snapshots/\(HubCommandBench.commit)/model.safetensors")
        #expect(try bench.data("online/model.safetensors") != start)
        #expect(try bench.text("online/metrics.jsonl").split(separator: "\n").count == 1)

        let calls = bench.server.calls.count
        #expect(try bench.run(words + "--output offline 2> log", ["HF_HUB_OFFLINE": "1"]) == 0)
        #expect(bench.server.calls.count == calls)
        for name in ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"] {
            #expect(try bench.data("offline/" + name) == bench.data("online/" + name), "\(name)")
        }
        func losses(_ run: String) throws -> [String] {
            try bench.text(run + "/metrics.jsonl").matches(of: /"(?:eval_)?loss": ?[^,]*/).map { String($0.output) }
        }
        #expect(try losses("offline") == losses("online") && losses("online").count == 2)
        // The directory that the run left is a model, which answers as the same from either.
        try bench.directory.write("prompts.jsonl", #"{"prompt":"0?"}"# + "\n")
        let generating = "--data prompts.jsonl --max-new-tokens 4 --greedy --device cpu --threads 1 2> log"
        #expect(try bench.run("$RTO generate --model online --output a.jsonl \(generating)") == 0)
        #expect(try bench.run("$RTO generate --model offline --output b.jsonl \(generating)") == 0)
        #expect(try bench.data("a.jsonl") == bench.data("b.jsonl"))
    }
}
