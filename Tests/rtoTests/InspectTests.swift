import Foundation
import JSONText
import Models
import Reporting
import TestSupport
import Testing

@testable import rto

/// `rto inspect` as it is typed.
@Suite struct InspectTests {
    let directory: TemporaryDirectory
    private static let words = ["<unk>", "<s>", "</s>", "\n", " ", "é", "<0xC3>", "\u{1B}"]
    private static let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)

    init() throws {
        directory = try TemporaryDirectory()
        let configuration: JSON = [
            "architectures": ["LlamaForCausalLM"], "vocab_size": 48, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 1, "num_attention_heads": 2, "eos_token_id": 2,
        ]
        let shape = try ModelConfiguration(configuration, path: "config.json")
        for (seed, name) in ["reference", "dpo", "reward"].enumerated() {
            let folder = directory.url.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            let model = try LanguageModel.fresh(shape, seed: UInt64(seed + 1))
            try model.save(to: folder, dtype: .float32)
            if name == "reward" {
                try ScoreModel.load(folder, .frozen(), freshHead: 3).save(to: folder, dtype: .float32)
            }
            try addTokenizer(to: name)
        }
        try directory.write(
            "pairs.jsonl",
            #"{"prompt":"ask me","chosen":" so and so","rejected":" so or so"}"# + "\n"
                + #"{"prompt":"b","chosen":"c","rejected":"\u001b[31m"}"# + "\n"
        )
    }

    private func addTokenizer(to folder: String) throws {
        var vocabulary = JSONObject()
        for (id, word) in (Self.words + Self.letters).enumerated() { vocabulary[word] = .integer(id) }
        let special = (0...2).map { id -> JSON in
            [
                "id": .integer(id), "content": .string(Self.words[id]), "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            ]
        }
        let file: JSON = [
            "version": "1.0", "added_tokens": .array(special), "decoder": ["type": "Fuse"],
            "model": ["type": "BPE", "unk_token": "<unk>", "vocab": .object(vocabulary), "merges": []],
        ]
        try directory.write(folder + "/tokenizer.json", file.serialized())
        try directory.write(folder + "/tokenizer_config.json", #"{"eos_token": "</s>"}"#)
    }

    private func path(_ name: String) -> String { directory.url.appending(path: name).path }

    private var rewards: [String] {
        ["--dpo-model", path("dpo"), "--reference-model", path("reference"), "--device", "cpu", "--threads", "1"]
    }

    @Test("without colour the parts are words, no code reaches a pipe, and none of the data's either")
    func plain() throws {
        let outcome = try rto(["inspect", "--tokenizer", path("dpo"), "--data", path("pairs.jsonl")])
        #expect(outcome.status == 0 && outcome.complaint.isEmpty && !outcome.output.contains("\u{1B}"))
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(
            lines[0].hasSuffix(
                "pair: chosen 17 tokens (6 prompt, 11 learned); rejected 16 tokens (6 prompt, 10 learned)"
            )
        )
        #expect(lines[1] == "  the responses share 4 tokens")
        #expect(lines[2] == "  prompt       |a|s|k| |m|e|" && lines[3] == "  chosen       | |s|o| |a|n|d| |s|o|«</s>»|")
        #expect(outcome.output.contains(#"|\u{001B}|«<unk>»|«<unk>»|"#))
        let coloured = try rto([
            "inspect", "--tokenizer", path("dpo"), "--data", path("pairs.jsonl"), "--rows", "1", "--color", "always",
        ])
        #expect(coloured.output.contains("\u{1B}[2ma\u{1B}[0m\u{1B}[2;4ms\u{1B}[0m"))
        #expect(coloured.output.contains("\u{1B}[32;7m</s>\u{1B}[0m"))
    }

    @Test("one token a line says position, id, part and text") func table() throws {
        let row = #"{"prompt":"a","completion":"b\n"}"# + "\n" + #"{"prompt":"a b","completion":"é"}"#
        let outcome = try rto(["inspect", "--tokenizer", path("dpo"), "--tokens", "--row", "2"], input: row)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines[0] == "row 2  standard input:2  prompt-completion: 5 tokens (3 prompt, 2 learned)")
        #expect(lines[2] == "     1        4  prompt                ·")
        #expect(lines[5] == "     4        2  learned      special  </s>" && lines[4].hasSuffix("é"))
    }

    @Test("JSON holds what training sees, and the token rewards and scores of rto score")
    func json() throws {
        let words = [
            "inspect", "--data", path("pairs.jsonl"), "--json", "--rows", "1", "--reward-model", path("reward"),
        ]
        let outcome = try rto(words + rewards + ["--token-reward-clip", "0.002"])
        #expect(outcome.status == 0 && outcome.output.split(separator: "\n").count == 1)
        let row = try #require(try JSON(parsing: outcome.output)["rows"]?[0])
        #expect(row["row"] == 1 && row["kind"] == "pair" && row["common_tokens"] == 4 && row["dropped"] == false)
        let sequences = try #require(row["sequences"]?.array)
        #expect(sequences.map { $0["name"] } == ["chosen", "rejected"])
        for sequence in sequences {
            let tokens = try #require(sequence["tokens"]?.array)
            #expect(tokens.map { $0["part"]?.string ?? "" } == tokens.indices.map { $0 < 6 ? "prompt" : "learned" })
            #expect(tokens.last?["special"] == true && tokens[0]["text"] == "a")
            let ids = JSON.array(tokens.map { $0["id"] ?? .null })
            let line = (["ids": ids, "prompt_length": 6] as JSON).serialized()
            let scored = try rto(
                [
                    "score", "--model", path("dpo"), "--reference-model", path("reference"), "--device", "cpu",
                    "--threads", "1",
                ],
                input: line
            )
            let expected = try #require(try JSON(parsing: scored.output)["token_rewards"]?.array)
            for (token, reward) in zip(tokens, expected) {
                #expect((token["reward"] == nil) == reward.isNull)
                guard let ratio = token["log_ratio"]?.number, let reward = reward.number else { continue }
                #expect(abs(0.05 * ratio - reward) < 1e-6)
                let bounded = max(-0.002, min(0.002, reward))
                #expect(abs((token["reward"]?.number ?? 9) - bounded) < 1e-6)
            }
            let sum = tokens.compactMap { $0["reward"]?.number }.reduce(0, +)
            #expect(abs((sequence["token_reward_sum"]?.number ?? 9) - sum) < 1e-9)
            let judged = try rto(["score", "--reward-model", path("reward"), "--device", "cpu"], input: line)
            let score = try #require(try JSON(parsing: judged.output)["score"]?.number)
            #expect(abs((sequence["score"]?.number ?? 9) - score) < 1e-5)
        }
    }

    @Test("rewards in words: behind their tokens, summed, and the strongest named") func rewardText() throws {
        let outcome = try rto(["inspect", "--data", path("pairs.jsonl"), "--rows", "1"] + rewards)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("rewards      sum ") && outcome.output.contains("(log-ratio "))
        #expect(outcome.output.contains("over 11 tokens") && outcome.output.contains("over 10 tokens"))
        let prompt = try rto(["inspect"] + rewards, input: #"{"prompt":"ask"}"#)
        #expect(prompt.output.contains("no rewards: there is no response to the prompt"))
    }

    @Test("a sample is shown with the ids that were sampled, and a stage's eyes are asked for") func samples() throws {
        let row = #"{"prompt_ids":[8,9],"completion_ids":[10,2],"prompt":"ab","completion":"c","messages":[]}"#
        let outcome = try rto(["inspect", "--model", path("dpo"), "--json"], input: row)
        let shown = try JSON(parsing: outcome.output)["rows"]?[0]
        #expect(shown?["kind"] == "sample" && shown?["sequences"]?[0]?["num_learned"] == 2)
        let completion = #"{"prompt":"ab","completion":"c"}"#
        let prompt = try rto(["inspect", "--model", path("dpo"), "--json", "--stage", "rto"], input: completion)
        #expect(try JSON(parsing: prompt.output)["rows"]?[0]?["kind"] == "prompt")
    }

    @Test(
        "wrong usage is one sentence and status 64",
        arguments: [
            ([], "rto inspect needs a tokenizer"), (["--dpo-model", "."], "--reference-model or --model"),
            (["--model", ".", "--reference-model", "."], "--reference-model has an effect only with --dpo-model"),
            (["--model", ".", "--token-reward-clip", "1"], "have an effect only with --dpo-model"),
            (["--model", ".", "--json", "--ids"], "no effect with --json"),
            (["--model", ".", "--color", "red"], "never, auto"),
            (["--model", ".", "--stage", "sftt"], "sft, reward"), (["--model", ".", "--rows", "0"], "more than 0"),
        ]
    )
    func usage(words: [String], mention: String) throws {
        let outcome = try rto(["inspect"] + words)
        #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.complaint.contains(mention))
        #expect(outcome.complaint.split(separator: "\n").count == 1)
    }

    @Test(
        "bad rows are one sentence and status 65",
        arguments: [
            ("[1]", "standard input:1: a row must be a JSON object"), ("", "there is no row 1, only 0"),
            (#"{"question":"x"}"#, "standard input:1: the row has none of the forms"),
            (#"{"input_ids":[1,99],"prompt_length":1}"#, "holds the id 99, and the model's ids are 0 to 47"),
            (#"{"completion_ids":[-1],"prompt_ids":[1]}"#, "token id -1 is outside the model's vocabulary of 48"),
            (#"{"messages":[{"role":"user","content":"x"}]}"#, "give one by --chat-template"),
        ]
    )
    func data(input: String, sentence: String) throws {
        let outcome = try rto(["inspect", "--model", path("dpo")], input: input)
        #expect(outcome.status == 65 && outcome.output.isEmpty && outcome.complaint.contains(sentence))
        #expect(outcome.complaint.split(separator: "\n").count == 1)
    }

    @Test("bad rows are skipped where that is asked for, and said") func skipped() throws {
        let rows = #"{"question":"x"}"# + "\n" + #"{"prompt":"x"}"#
        let outcome = try rto(["inspect", "--model", path("dpo"), "--skip-bad-rows"], input: rows)
        #expect(
            outcome.status == 0 && outcome.output.contains("row 2") && outcome.complaint.contains("standard input:1")
        )
    }

    @Test(
        "what is no text is escaped",
        arguments: [
            ([0xE2, 0x80], #"\xE2\x80"#), ([0x41, 0x1B, 0x0A, 0x09, 0x20], #"A\u{001B}⏎→ "#),
            ([0xC2, 0xA0], #"\u{00A0}"#),
            ([0xE2, 0x80, 0xAE], #"\u{202E}"#), ([0xF0, 0x9F, 0x98, 0x80], "😀"), ([], ""), ([0xFF, 0x41], #"\xFFA"#),
        ] as [([UInt8], String)]
    )
    func visible(bytes: [UInt8], text: String) { #expect(visibleText(bytes) == text) }
}
