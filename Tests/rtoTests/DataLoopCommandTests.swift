import Foundation
import JSONText
import Models
import TestSupport
import Testing

/// `rto generate`, `rto score` and `rto pairs` as they are typed.
@Suite("Data loops as commands")
struct DataLoopCommandTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 1, "num_attention_heads": 2, "eos_token_id": 2,
        ]
        let shape = try ModelConfiguration(configuration, path: "config.json")
        let (model, reward) = (directory.url.appending(path: "model"), directory.url.appending(path: "reward"))
        for folder in [model, reward] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        }
        try LanguageModel.fresh(shape, seed: 1).save(to: model, dtype: .float32)
        try ScoreModel.load(model, .frozen(), freshHead: 3).save(to: reward, dtype: .float32)
        let prompts = (0..<200).map { #"{"number":\#($0),"prompt_ids":[1,\#(3 + $0 % 29),\#(3 + $0 / 29)]}"# + "\n" }
        try directory.write("prompts.jsonl", prompts.joined())
    }

    private func path(_ name: String) -> String { directory.url.appending(path: name).path }

    private func lines(_ name: String) throws -> [JSON] {
        try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map {
            try JSON(parsing: Array($0.utf8))
        }
    }

    private func sampling(_ output: String) -> String {
        "$RTO generate --model model --data prompts.jsonl --samples-per-prompt 4 --max-new-tokens 24 --device cpu "
            + "--threads 1 --batch-size 4 --output \(output) 2>> log"
    }

    @Test("the three commands make one pipe, whose file is that of the commands one by one")
    func pipe() throws {
        let pipe =
            "$RTO generate --model model --data prompts.jsonl --samples-per-prompt 4 --max-new-tokens 8 --device cpu | "
            + "$RTO score --reward-model reward --no-values --device cpu | $RTO pairs --select iterative-dpo > pipe.jsonl"
        #expect(try directory.run(pipe + " 2> log") == 0)
        let pairs = try lines("pipe.jsonl")
        #expect(pairs.count > 190)
        for pair in pairs {
            #expect(pair["chosen_reward"]?.number ?? 0 > pair["rejected_reward"]?.number ?? 0)
            #expect(pair["prompt_ids"]?.array?.count == 3 && pair["number"]?.integer != nil)
        }
        let steps =
            "$RTO generate --model model --data prompts.jsonl --samples-per-prompt 4 --max-new-tokens 8 --device cpu "
            + "--output a.jsonl && $RTO score --reward-model reward --no-values --device cpu --data a.jsonl "
            + "--output b.jsonl && $RTO pairs --select iterative-dpo --data b.jsonl --output c.jsonl"
        #expect(try directory.run("{ \(steps); } 2> log") == 0)
        #expect(FileManager.default.contentsEqual(atPath: path("pipe.jsonl"), andPath: path("c.jsonl")))
    }

    @Test("sampling that is killed at any instant goes on where it stopped")
    func killed() throws {
        #expect(try directory.run(sampling("whole.jsonl")) == 0)
        var kills = 0
        for round in 0..<100 where !FileManager.default.fileExists(atPath: path("killed.jsonl")) {
            let process = try directory.shell("exec " + sampling("killed.jsonl"))
            // Longer with every round, so that the last one ends.
            usleep(UInt32(20000 + 15000 * round))  // not an asynchronous wait: that would stand behind waiting tests
            if process.isRunning { kills += 1 }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        #expect(kills > 0)
        #expect(try directory.run(sampling("killed.jsonl")) == 0)
        #expect(FileManager.default.contentsEqual(atPath: path("killed.jsonl"), andPath: path("whole.jsonl")))
    }

    @Test(
        "wrong usage of pairs is one sentence and status 64",
        arguments: [
            ([], "--select best, iterative-dpo or csft"), (["--select", "worst"], "wants best, iterative-dpo or csft"),
            (["--select", "best", "--normalize-reward"], "--normalize-reward has an effect only with --select csft"),
            (["--select", "iterative-dpo", "--model", "m"], "--model has an effect only with --select csft"),
            (["--selct", "best"], "did you mean --select?"),
        ]
    )
    func usage(words: [String], mention: String) throws {
        let outcome = try rto(["pairs"] + words)
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(outcome.complaint.contains(mention) && outcome.complaint.split(separator: "\n").count == 1)
    }

    @Test(
        "what cannot be chosen from is one sentence and status 65, and leaves no file",
        arguments: [
            ("best", #"{"prompt":"p","completion":"c"}"#, "standard input:1: the row has no \"score\""),
            ("best", #"{"prompt":"p","completion":"c","score":NaN}"#, "standard input:1: \"score\" is nan"),
            ("best", "", "there are no completions"), ("best", "[1]", "standard input:1: a row must be a JSON object"),
            ("iterative-dpo", #"{"prompt":"p","completion":"c","score":1}"#, "--samples-per-prompt"),
            (
                "iterative-dpo",
                #"{"prompt":"p","completion":"c","score":1}"# + "\n" + #"{"prompt":"p","completion":"d","score":1}"#,
                "1 have completions of equal reward"
            ),
            ("csft", #"{"messages":[{"role":"user","content":"q"}],"completion":"c","score":1}"#, "--model DIRECTORY"),
        ]
    )
    func data(choice: String, input: String, sentence: String) throws {
        let outcome = try rto(["pairs", "--select", choice, "--output", path("out.jsonl")], input: input)
        #expect(outcome.status == 65 && outcome.output.isEmpty && outcome.complaint.contains(sentence))
        #expect(outcome.complaint.split(separator: "\n").count == 1)
        #expect(try directory.fileNames.allSatisfy { !$0.contains("out.jsonl") })
    }

    @Test("the reference's names of the choices are understood") func synonyms() throws {
        let input = #"{"prompt":"p","completion":"c","score":1}"# + "\n"
        #expect(try rto(["pairs", "--select", "rs"], input: input).output == input)
        let equal = try rto(["pairs", "--select", "csft", "--normalize-reward"], input: input)
        #expect(equal.status == 65 && equal.complaint.contains("do not differ"))
    }

    @Test("score answers the rows before a bad one, and names it by its line") func badRow() throws {
        let good = #"{"ids":[1,5,6],"name":"x"}"# + "\n"
        let words = ["score", "--reward-model", path("reward"), "--device", "cpu"]
        let outcome = try rto(words, input: good + "\n" + #"{"ids":[1,99]}"#)
        #expect(outcome.status == 65 && outcome.output.split(separator: "\n").count == 1)
        #expect(try JSON(parsing: Array(outcome.output.utf8))["name"] == "x")
        #expect(
            outcome.complaint.hasPrefix("rto: standard input:3: token id 99 is outside the model's vocabulary of 32")
        )
        let file = try rto(words + ["--output", path("scores.jsonl")], input: good + "{}")
        #expect(file.status == 65 && !FileManager.default.fileExists(atPath: path("scores.jsonl")))
    }
}
