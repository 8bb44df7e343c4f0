import Foundation
import TestSupport
import Testing

/// What a run records of a hub's names, and what a run of its recipe makes of it.
@Suite("Commits that a recipe records of names on a hub")
struct HubRecipeTests {
    private static let (commit, later) = (HubCommandBench.commit, HubCommandBench.later)
    private static let third = String(repeating: "feed4567", count: 5)

    @Test("a run of a recipe stands on the base that the first run found")
    func base() throws {
        let bench = try HubCommandBench(HubCommandBench.model(), HubCommandBench.rows())
        try bench.writeAdapter("adapter", revision: nil)
        let words = "$RTO train sft --model adapter --data org/rows " + HubCommandBench.shortly
        #expect(try bench.run(words + "--output first 2> log") == 0)
        #expect(try bench.text("first/recipe.yaml").contains("hub_commits: [\"org/tiny@\(Self.commit)\"]"))
        bench.server.replace(try HubCommandBench.model("org/tiny", Self.later, seed: 9))
        #expect(try bench.run("$RTO train sft --config first/recipe.yaml --output again 2> log") == 0)
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(try bench.data("again/" + name) == bench.data("first/" + name))
        }
        #expect(try bench.text("again/recipe.yaml").contains("hub_commits: [\"org/tiny@\(Self.commit)\"]"))
        // One name is one commit in all of a run, and a line says where the record decided on a flag.
        let whole = "$RTO train sft --config first/recipe.yaml --model org/tiny --output whole 2> log"
        #expect(try bench.run(whole) == 0)
        #expect(
            try bench.text("log").contains("--model: org/tiny is taken in the commit \(Self.commit.prefix(12)) that")
        )
        #expect(try bench.text("whole/recipe.yaml").contains("model: \"org/tiny@\(Self.commit)\""))
        // A recipe that is no record asks for what is there now.
        #expect(try bench.run("grep -v hub_commits first/recipe.yaml > plain.yaml") == 0)
        #expect(try bench.run("$RTO train sft --config plain.yaml --output new 2> log") == 0)
        #expect(try bench.data("new/adapter_model.safetensors") != bench.data("first/adapter_model.safetensors"))
        // A record that says nothing is not passed over.
        #expect(
            try bench.run(
                "sed 's/org.tiny@c0ffee/org tiny@/' first/recipe.yaml > broken.yaml; grep -q 'org tiny' broken.yaml"
            ) == 0
        )
        #expect(try bench.run("$RTO train sft --config broken.yaml --output none 2> log") == 65)
        #expect(try bench.text("log").contains("hub_commits"))
    }

    @Test("two revisions of one base, and data of the same name, are kept apart")
    func revisions() throws {
        var old = try HubCommandBench.model("org/tiny", Self.later, seed: 2)
        old.revisions = ["v1"]
        let data = HubCommandBench.rows("org/tiny", Self.third)
        let bench = try HubCommandBench(HubCommandBench.model(), old, HubCommandBench.rows(), data)
        try bench.writeAdapter("adapter", revision: nil)
        try bench.writeAdapter("reference", revision: "v1")
        let pairs = (0..<8).map { #"{"prompt_ids":[1,\#(3 + $0)],"chosen_ids":[4,2],"rejected_ids":[5,2]}"# + "\n" }
        bench.server.replace(
            HubServer.Repository(
                "org/tiny",
                commit: Self.third,
                kind: "datasets",
                ["pairs.jsonl": Array(pairs.joined().utf8)]
            )
        )
        let words =
            "$RTO train dpo --model adapter --reference-model reference --data org/tiny " + HubCommandBench.shortly
        #expect(try bench.run(words + "--output first 2> log") == 0)
        let recipe = try bench.text("first/recipe.yaml")
        #expect(recipe.contains("hub_commits: [\"org/tiny@\(Self.commit)\", \"org/tiny@v1@\(Self.later)\"]"))
        #expect(recipe.contains("data: [\"org/tiny@\(Self.third)\"]"))
        // Both branches move on.
        var moved = try HubCommandBench.model("org/tiny", String(repeating: "0a", count: 20), seed: 8)
        moved.revisions = ["main", "v1"]
        bench.server.replace(moved)
        #expect(try bench.run("$RTO train dpo --config first/recipe.yaml --output again 2> log") == 0)
        let weights = "adapter_model.safetensors"
        #expect(try bench.data("again/" + weights) == bench.data("first/" + weights))
        // The record is of models: data of that name is another repository.
        let again = "$RTO train dpo --config first/recipe.yaml --data org/tiny --output named 2> log"
        #expect(try bench.run(again) == 0)
        #expect(try bench.text("named/recipe.yaml").contains("data: [\"org/tiny@\(Self.third)\"]"))
    }

    @Test("a name stands for one commit in all settings of a run")
    func once() throws {
        let bench = try HubCommandBench(HubCommandBench.model(), HubCommandBench.rows())
        let server = bench.server
        server.disturb { call in
            // The branch moves on as soon as it was asked for.
            guard call.path.hasPrefix("/api/datasets/org/rows/revision/main") else { return nil }
            let commit = String(format: "%040x", call.number + 1)
            server.replace(HubCommandBench.rows("org/rows", commit, firstToken: call.number % 9))
            return nil
        }
        let words = "$RTO train sft --model org/tiny --data org/rows --eval-data org/rows " + HubCommandBench.shortly
        #expect(try bench.run(words + "--output run 2> log") == 0)
        let found = try bench.text("run/recipe.yaml").matches(of: /org\/rows@([0-9a-f]{40})/).map {
            String($0.output.1)
        }
        #expect(found.count == 2 && Set(found).count == 1)
        #expect(server.calls.filter { $0.path.hasPrefix("/api/datasets") }.count == 1)
    }
}
