import Foundation
import HTTP
import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// What a judge is shown, and what becomes of its answers.
@Suite struct JudgingTests {
    let directory: TemporaryDirectory
    static let template = """
        <|im_start|>system
        Choose.
        <|im_end|>
        <|im_start|>user
        {"asked": "{instruction}", "m": "{output_1}", "M": "{output_2}"}
        <|im_end|>

        """

    init() throws { directory = try TemporaryDirectory() }

    @Test("places are filled one after the other, and white space at the ends of messages goes")
    func prompt() throws {
        let prompt = try PairwisePrompt(path: directory.write("prompt.txt", Self.template))
        let plain = prompt.messages(instruction: "q", first: " a\n", second: "b")
        #expect(plain == [.init("system", "Choose."), .init("user", #"{"asked": "q", "m": " a\#n", "M": "b"}"#)])
        // An instruction that holds a place takes it, as in the original.
        let greedy = prompt.messages(instruction: "{output_1}", first: "a", second: "b")
        #expect(greedy[1].content == #"{"asked": "a", "m": "{output_1}", "M": "b"}"#)
        // ChatML in an answer cuts the message there.
        #expect(
            prompt.messages(instruction: "q", first: "a<|im_end|>", second: "b")[1].content
                == #"{"asked": "q", "m": "a"#
        )
        for bad in ["no marks", Self.template.replacing("{output_2}", with: "")] {
            #expect(throws: EvaluationError.self) { try PairwisePrompt(path: directory.write("bad.txt", bad)) }
        }
    }

    @Test("the preference is 2 − P(m) over the two names, turned round where the order was")
    func preference() throws {
        func likely(_ pairs: [(String, Double)]) -> [JSON] {
            pairs.map { ["token": .string($0), "logprob": .number($1)] }
        }
        let both = likely([("m", log(0.3)), ("M", log(0.1)), ("The", -0.1)])
        #expect(abs(try #require(PairwiseJudge.preference(both, isSwitched: false)) - 1.25) < 1e-12)
        #expect(abs(try #require(PairwiseJudge.preference(both, isSwitched: true)) - 1.75) < 1e-12)
        #expect(PairwiseJudge.preference(likely([("M", -3)]), isSwitched: false) == 2)
        #expect(PairwiseJudge.preference(likely([("m", -3)]), isSwitched: true) == 2)
        #expect(PairwiseJudge.preference(likely([(" m", -3)]), isSwitched: true) == nil)
    }

    @Test("a cache forgets a line that was cut off, keeps the others, and has one owner")
    func cache() throws {
        let url = directory.url.appending(path: "cache.jsonl")
        func record(_ key: String, _ value: Int) -> JSONObject {
            var record = JSONObject()
            record["key"] = .string(key)
            record["value"] = .integer(value)
            return record
        }
        do {
            let cache = try JudgeCache(url, keys: ["key"])
            try cache.store(record("a\n\u{2028}", 1))
            #expect(throws: EvaluationError.self) { try JudgeCache(url, keys: ["key"]) }
        }
        let file = try FileHandle(forWritingTo: url)
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"key":"b","val"#.utf8))
        try file.close()
        let cache = try JudgeCache(url, keys: ["key"])
        try cache.store(record("c", 3))
        #expect(cache.record(like: record("a\n\u{2028}", 0))?["value"] == 1)
        #expect(cache.record(like: record("b", 0)) == nil)
        #expect(try RowFile.read(url.path).count == 2)
    }

    @Test("equal answers are a draw without a call, equal pairs are judged once, and nonsense is marked as failed")
    func annotations() async throws {
        let server = try LoopbackServer { _ in
            .answer(
                body: #"{"choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "?", "logprob": -1}]}]}}]}"#
            )
        }
        func row(_ instruction: String, _ output: String) -> ModelOutputs.Row {
            ModelOutputs.Row(instruction: instruction, output: output, generator: nil, dataset: nil)
        }
        let pairs = [(row("i", "a"), row("i", "a")), (row("j", "a"), row("j", "b")), (row("j", "a"), row("j", "b"))]
        for _ in 0..<2 {
            let judge = try PairwiseJudge(
                annotator: "judge",
                service: ChatService(address: server.address + "/v1/", model: "x", key: "k", HTTPSettings()),
                prompt: PairwisePrompt(path: directory.write("prompt.txt", Self.template)),
                cache: directory.url.appending(path: "cache.jsonl")
            )
            let (annotations, failures) = try await judge.annotate(pairs, concurrency: 4) { _, _ in }
            #expect(annotations.map { $0["preference"] } == [1.5, .null, .null] && failures.isEmpty)
        }
        #expect(server.calls.count == 1 && server.calls[0].path == "/v1/chat/completions")
        #expect(server.calls[0].headers["authorization"] == "Bearer k")
    }

    @Test("a wrong key ends the run at once")
    func refused() async throws {
        let server = try LoopbackServer { _ in .answer(status: 401, body: "no") }
        let pairs = (0..<20).map { number in
            let instruction = "i\(number)"
            return (
                ModelOutputs.Row(instruction: instruction, output: "a", generator: nil, dataset: nil),
                ModelOutputs.Row(instruction: instruction, output: "b", generator: nil, dataset: nil)
            )
        }
        let judge = try PairwiseJudge(
            annotator: "judge",
            service: ChatService(address: server.address, model: "x", key: nil, HTTPSettings()),
            prompt: PairwisePrompt(path: directory.write("prompt.txt", Self.template)),
            cache: directory.url.appending(path: "cache.jsonl")
        )
        await #expect(throws: HTTPError.self) { try await judge.annotate(pairs, concurrency: 2) { _, _ in } }
        #expect(server.calls.count <= 3)
    }

    @Test("Arena-Hard's games: both orders, one more question in v0.1, labels as each version reads them")
    func arenaHard() async throws {
        let prompts = try JudgePrompts(
            path: directory.write(
                "prompts.json",
                #"{"judge_settings": {"c": {"baseline": "b", "system_prompt": "judge"}}, "prompt_template": "{QUESTION}|{ANSWER_A}|{ANSWER_B}"}"#
            )
        )
        let questions = try ArenaHardQuestions(
            path: directory.write(
                "q.jsonl",
                #"{"question_id": "q", "category": "c", "turns": [{"content": "{ANSWER_B}"}]}"#
            )
        )
        let server = try LoopbackServer { call in
            let text =
                call.body.contains("continue your judgment")
                ? "[[B>A]]" : call.body.contains("|base|mine") ? "hm" : "[[A>>B]]"
            return .answer(body: #"{"choices": [{"message": {"content": "\#(text)"}}]}"#)
        }
        let judge = try ArenaHardJudge(
            version: .v01,
            service: ChatService(address: server.address, model: "j", key: nil, HTTPSettings()),
            prompts: prompts,
            cache: directory.url.appending(path: "games.jsonl")
        )
        let match = ArenaHardJudge.Match(
            question: questions.rows[0],
            model: "m",
            baseline: "b",
            answer: "mine",
            baselineAnswer: "base"
        )
        let (rows, _) = try await judge.judge([match], concurrency: 1) { _, _ in }
        #expect(rows[0]["games"]?[0]?["score"] == "B>A" && rows[0]["games"]?[0]?["judgment"] == "\nhm\n[[B>A]]")
        #expect(rows[0]["games"]?[1]?["score"] == "A>>B")
        #expect(rows[0]["games"]?[0]?["user_prompt"] == "{ANSWER_B}|base|mine")
        #expect(server.calls.count == 3)
    }
}
