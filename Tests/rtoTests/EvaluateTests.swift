import Foundation
import JSONText
import Models
import PocketWorld
import TestSupport
import Testing

@testable import Evaluation

/// `rto evaluate` from stored verdicts, and with models of this machine.
@Suite struct EvaluateTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { directory.url.appending(path: name).path }

    private func evaluate(_ words: String...) throws -> Outcome { try rto(["evaluate"] + words) }

    /// A model with random weights that knows the pocket world's words.
    private func model(_ name: String, seed: UInt64, isRewardModel: Bool = false) throws -> String {
        let url = directory.url.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let size = TinyLlama(hiddenSize: 16, intermediateSize: 24, layerCount: 1, headCount: 2)
        let configuration = try ModelConfiguration(JSON(parsing: size.configurationText()), path: "config.json")
        try LanguageModel.fresh(configuration, seed: seed).save(to: url, dtype: .float32)
        if isRewardModel {
            try ScoreModel.load(url, .frozen(), freshHead: seed).save(to: url, dtype: .float32, statistics: nil)
        }
        try WorldTokenizer().write(to: url)
        return url.path
    }

    @Test(
        "stored annotations: the named keys alone, files that the original reads, no length control without its inputs"
    )
    func stored() throws {
        let rows = (0..<6).map { number in
            let preference = number == 3 ? "null" : "1.\(number)5"
            let answers = #""output_1": "aa", "output_2": "\#(String(repeating: "b", count: number + 1))""#
            return #"{"instruction": "i\#(number)", \#(answers), "generator_1": "base", "generator_2": "mine", "#
                + #""annotator": "x", "preference": \#(preference)}"#
        }
        let annotations = try directory.write("annotations.json", "[" + rows.joined(separator: ",") + "]")
        let plain = try evaluate("alpaca-eval", "--annotations", annotations, "--json", "--output", path("out"))
        #expect(plain.status == 0 && plain.complaint.contains("--gamed"))
        let keys = try JSON(parsing: plain.output).object?.members.map(\.key)
        #expect(
            keys == [
                "win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total", "discrete_win_rate",
                "avg_length", "length_controlled_winrate", "lc_standard_error", "regularization", "coefficients",
            ]
        )
        #expect(try directory.fileNames.contains("out"))
        let leaderboard = try String(contentsOfFile: path("out/leaderboard.csv"), encoding: .utf8)
        #expect(leaderboard.hasPrefix(",win_rate,standard_error,") && leaderboard.contains("\n\"mine\","))
        #expect(try RowFile.read(path("out/annotations.json")).count == 6)

        let gamed = try directory.write(
            "gamed.csv",
            "preference,index,std_delta_len,instruction_difficulty\n"
                + (0..<6).map { "0.\($0 + 2),\($0),-1.\($0),\(Double($0) / 4)\n" }.joined()
        )
        let words = ["alpaca-eval", "--annotations", annotations, "--gamed", gamed, "--json"]
        let fitted = try JSON(parsing: rto(["evaluate"] + words).output)
        #expect(fitted["length_controlled_winrate"]?.number != nil && fitted["coefficients"]?.array?.count == 3)
        let given = try JSON(parsing: rto(["evaluate"] + words + ["--regularization", "3"]).output)
        #expect(given["regularization"] == 3.0)
        let folds = try directory.write("folds.json", #"{"11": "01234012340"}"#)
        #expect(try rto(["evaluate"] + words + ["--folds", folds]).status == 0)
        let short = try directory.write("short.json", "[0, 1]")
        let refused = try rto(["evaluate"] + words + ["--folds", short])
        #expect(refused.status == 65 && refused.complaint.contains("list of 11 fold numbers"))
    }

    @Test("judgments of one category at a time, with the scores of both versions")
    func arenaHard() throws {
        func judgment(_ category: String, _ question: Int) -> String {
            #"{"uid": "\#(category)\#(question)", "category": "\#(category)", "model": "m", "baseline": "b", "games": [{"score": "B>A"}, {"score": "A=B"}]}"#
        }
        let lines = (0..<4).flatMap { [judgment("x", $0), judgment("y", $0)] }
        let file = try directory.write("judgments.jsonl", lines.joined(separator: "\n"))
        let both = try evaluate("arena-hard", "--judgments", file)
        #expect(both.status == 65 && both.complaint.contains("--category"))
        let alone = try evaluate("arena-hard", "--judgments", file, "--category", "x", "--style", "length")
        #expect(alone.status == 65 && alone.complaint.contains("--style length is v0.1's"))
        let one = try evaluate("arena-hard", "--judgments", file, "--category", "x", "--json", "--output", path("out"))
        let score = try #require(try JSON(parsing: one.output)["models"]?[0])
        #expect(score["raw"]?["exact"] == 75.0 && score["n_battles"] == 8 && score["style_controlled"] == .null)
        #expect(FileManager.default.fileExists(atPath: path("out/report.html")))
    }

    @Test("a model answers, a reward model judges, and the numbers are labelled as not AlpacaEval's")
    func localJudges() throws {
        let rows = (0..<5).map { #"{"instruction": "the dog \#($0)", "output": "a cat \#($0)", "generator": "base"}"# }
        let reference = try directory.write("reference.json", "[" + rows.joined(separator: ",") + "]")
        let (policy, rewardModel) = (try model("policy", seed: 1), try model("reward", seed: 2, isRewardModel: true))
        let outcome = try evaluate(
            "alpaca-eval",
            "--model",
            policy,
            "--reference",
            reference,
            "--reward-model",
            rewardModel,
            "--output",
            path("out"),
            "--max-new-tokens",
            "6",
            "--device",
            "cpu",
            "--threads",
            "1",
            "--json"
        )
        #expect(outcome.status == 0, "\(outcome.complaint)")
        #expect(outcome.complaint.contains("not AlpacaEval's numbers"))
        #expect(try JSON(parsing: outcome.output)["n_total"] == 5)
        let answers = try ModelOutputs(path: path("out/model_outputs.json"))
        #expect(try answers.rows.map(\.instruction) == ModelOutputs(path: reference).rows.map(\.instruction))
        #expect(try answers.generator() == "policy")
        let report = try String(contentsOfFile: path("out/report.html"), encoding: .utf8)
        #expect(report.contains("not AlpacaEval&#39;s numbers") || report.contains("not AlpacaEval's numbers"))

        let prompt = try directory.write(
            "prompt.txt",
            "<|im_start|>user\n{instruction}{output_1}{output_2}\n<|im_end|>"
        )
        let words = [
            "win-rate", "--outputs", path("out/model_outputs.json"), "--reference", reference, "--local-judge", policy,
            "--judge-prompt", prompt, "--output", path("wins"), "--device", "cpu", "--threads", "1", "--json",
        ]
        let wins = try JSON(parsing: rto(["evaluate"] + words).output)
        #expect(wins["n_total"] == 5 && wins["win_rate_lower"]?.number ?? 101 <= wins["win_rate"]?.number ?? 0)
    }

    @Test("held-out pairs: a reward model's accuracy, and an implicit reward that is nothing for equal models")
    func preference() throws {
        let pairs = (0..<6).map { #"{"prompt": "the dog \#($0)", "chosen": "a cat", "rejected": "the bird \#($0)"}"# }
        let data = try directory.write("pairs.jsonl", pairs.joined(separator: "\n"))
        let rewardModel = try model("reward", seed: 2, isRewardModel: true)
        let device = ["--device", "cpu", "--threads", "1", "--json"]
        let scored = try rto(["evaluate", "preference", "--reward-model", rewardModel, "--data", data] + device)
        let report = try JSON(parsing: scored.output)
        #expect(report["n_pairs"] == 6 && (0...1).contains(report["accuracy"]?.number ?? -1))
        #expect(report["calibration"]?.array?.compactMap { $0["n"]?.integer }.reduce(0, +) == 6)
        if FullDevice.isPresent {
            let full = try rto(
                ["evaluate", "preference", "--reward-model", rewardModel, "--data", data] + device,
                outputPath: FullDevice.path
            )
            #expect(full.status == 65 && full.complaint.contains("standard output cannot be written"))
        }
        let policy = try model("policy", seed: 1)
        let implicit = try rto(
            ["evaluate", "preference", "--model", policy, "--reference-model", policy, "--data", data] + device
        )
        let none = try JSON(parsing: implicit.output)
        #expect(
            none["margin"] == 0.0 && none["accuracy"] == 0.5 && abs((none["log_loss"]?.number ?? 0) - log(2)) < 1e-6
        )
    }

    @Test(
        "wrong usage is one sentence",
        arguments: [
            (["alpaca-eval"], "--annotations FILE"), (["arena-hard"], "--judgments"),
            (["preference"], "--reward-model"),
            (["win-rate"], "--outputs"), (["alpaca"], "did you mean 'rto evaluate alpaca-eval'?"),
            (
                ["alpaca-eval", "--judge-url", "http://x", "--outputs", "/dev/null", "--reference", "/dev/null"],
                "--output"
            ),
            (["preference", "--model", "/tmp", "--data", "/dev/null"], "--reference-model"),
        ]
    )
    func usage(words: [String], mention: String) throws {
        let outcome = try rto(["evaluate"] + words)
        #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.complaint.contains(mention))
        #expect(outcome.complaint.split(separator: "\n").count == 1)
    }
}
