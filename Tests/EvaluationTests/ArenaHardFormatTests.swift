import Foundation
import HTTP
import JSONText
import TestSupport
import Testing

@testable import Evaluation

/// The files of answers and judgments have the members that Arena-Hard's own programs look up, and theirs are read.
@Suite struct ArenaHardFormatTests {
    let directory: TemporaryDirectory
    private static let style = StyleCounts(quirkilyCounting: "# a\n- b **c**\n1. d", tokens: 12)
    private static let counts = ["token_len", "header_count", "list_count", "bold_count"]

    init() throws { directory = try TemporaryDirectory() }

    private func questions(_ line: String) throws -> ArenaHardQuestions {
        try ArenaHardQuestions(path: directory.write("question.jsonl", line))
    }

    private func names(_ json: JSON?) -> [String] { json?.object?.members.map(\.key) ?? [] }

    /// What the originals make four numbers of: every value an integer, or an object of integers to be summed.
    private func sums(_ metadata: JSON?) -> [Int?] {
        (metadata?.object?.members ?? []).map { _, value in
            value.integer
                ?? value.object?.members.reduce(0) { sum, member in
                    member.value.integer.flatMap { number in sum.map { $0 + number } }
                }
        }
    }

    @Test("an answer of v0.1: its text and token count in the first turn of the first choice, counts in conv_metadata")
    func oldAnswer() throws {
        let questions = try questions(#"{"question_id": "q", "category": "c", "turns": [{"content": "why?"}]}"#)
        let time = Date(timeIntervalSince1970: 1_711_397_284.25)
        let answer = JSON.object(
            questions.answer(questions.rows[0], model: "m", text: "so", style: Self.style, time: time)
        )
        #expect(
            names(answer) == ["question_id", "answer_id", "model_id", "choices", "tstamp", "conv_metadata"]
        )
        #expect(answer["question_id"] == "q" && answer["model_id"] == "m" && answer["tstamp"] == 1_711_397_284.25)
        #expect(answer["choices"]?[0]?["index"] == 0)
        #expect(answer["choices"]?[0]?["turns"]?[0] == ["content": "so", "token_len": 12])
        #expect(names(answer["conv_metadata"]) == Self.counts && sums(answer["conv_metadata"]) == [12, 1, 2, 1])
    }

    @Test("an answer of v2.0: the messages, the last with an answer, and the four counts, tokens first")
    func newAnswer() throws {
        let questions = try questions(#"{"uid": "u", "category": "hard_prompt", "subcategory": "s", "prompt": "why?"}"#)
        let answer = JSON.object(
            questions.answer(questions.rows[0], model: "m", text: "so", style: Self.style, time: Date())
        )
        #expect(names(answer) == ["uid", "ans_id", "model", "messages", "tstamp", "metadata"])
        #expect(answer["messages"]?.array?.count == 2 && answer["messages"]?[0]?["content"] == "why?")
        #expect(answer["messages"]?[1] == ["role": "assistant", "content": ["answer": "so"]])
        #expect(names(answer["metadata"]) == Self.counts && sums(answer["metadata"]) == [12, 1, 2, 1])
        #expect(names(answer["metadata"]?["header_count"]) == (1...6).map { "h\($0)" })
        #expect(names(answer["metadata"]?["list_count"]) == ["ordered", "unordered"])
        #expect(names(answer["metadata"]?["bold_count"]) == ["**", "__"])
        // What is written is read with the same counts.
        let read = try ArenaHardAnswer(#require(answer.object), at: "row 1")
        #expect(try read.question == "u" && read.text == "so" && read.style(tokens: nil) == Self.style)
    }

    @Test(
        "judgments of both versions: who, what, and two games with what was asked, said and found",
        arguments: [true, false]
    )
    func judgments(isNew: Bool) async throws {
        let prompts = try JudgePrompts(
            path: directory.write(
                "prompts.json",
                #"{"judge_settings": {"c": {"baseline": "b", "system_prompt": "judge"}}, "prompt_template": "{QUESTION}|{ANSWER_A}|{ANSWER_B}"}"#
            )
        )
        let questions = try questions(
            isNew
                ? #"{"uid": "q", "category": "c", "prompt": "why?"}"#
                : #"{"question_id": "q", "category": "c", "turns": [{"content": "why?"}]}"#
        )
        let server = try LoopbackServer { call in
            // The first game, in which the baseline is shown first, has no verdict.
            let text = call.body.contains("|base|mine") ? "none" : "so [[A>>B]]"
            return .answer(body: #"{"choices": [{"message": {"content": "\#(text)"}}]}"#)
        }
        let judge = try ArenaHardJudge(
            version: questions.version,
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
        let rows = try await judge.judge([match], concurrency: 1) { _, _ in }.judgments
        let row = JSON.object(try #require(rows.first))
        let games = try #require(row["games"]?.array)
        #expect(games.map { $0["score"] } == [.null, "A>>B"])
        if isNew {
            #expect(names(row) == ["uid", "category", "judge", "model", "baseline", "games"])
            #expect(names(games[1]) == ["score", "judgment", "prompt"])
            #expect(games[1]["judgment"] == ["answer": "so [[A>>B]]"])
            #expect(games[1]["prompt"]?.array?.map { $0["role"] } == ["system", "user"])
            #expect(games[1]["prompt"]?[1]?["content"] == "why?|mine|base")
        } else {
            #expect(names(row) == ["question_id", "model", "judge", "games"])
            #expect(names(games[1]) == ["user_prompt", "judgment", "score"])
            #expect(games[1]["user_prompt"] == "why?|mine|base" && games[1]["judgment"] == "\nso [[A>>B]]")
            #expect(games[0]["judgment"] == "\nnone\nnone")
        }
        let file = try directory.write("judged.jsonl", row.serialized() + "\n")
        #expect(try ArenaHardJudgments(paths: [file]).rows.map(\.labels) == [[nil, "A>>B"]])
    }

    @Test("what the originals write is read: games that failed are null, models may think, slashes are escaped")
    func originals() throws {
        let lines = [
            #"{"uid":"u","category":"c","judge":"j","model":"m\/n","baseline":"b","games":[null,{"score":"A>B","judgment":{"thought":"t","answer":"a"},"prompt":[]}]}"#,
            #"{"uid":"v","category":"c","judge":"j","model":"m\/n","baseline":"b","games":[{"score":"B>>A","judgment":{"answer":"a"},"prompt":[]},{"score":"A<B","judgment":{"answer":"a"},"prompt":[]}]}"#,
        ]
        let judgments = try ArenaHardJudgments(paths: [directory.write("j.jsonl", lines.joined(separator: "\n"))])
        let battles = try Battles(judgments, baseline: "b")
        #expect(battles.models == ["m/n"] && battles.rows.map(\.outcome) == [0, 1, 1, 1])
        #expect(battles.notes == ["without a verdict, and not counted: 1 of 2 questions"])
        let answer = try JSON(
            parsing:
                #"{"uid":"u","ans_id":"x","model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":{"thought":"t","answer":"so"}}],"tstamp":1711397284.1,"metadata":{"token_len":3,"header_count":{"h1":1,"h2":0,"h3":0,"h4":0,"h5":0,"h6":0},"list_count":{"ordered":2,"unordered":0},"bold_count":{"**":0,"__":1}}}"#
        )
        let read = try ArenaHardAnswer(#require(answer.object), at: "row 1")
        #expect(try read.text == "so" && read.style(tokens: nil).sums == SIMD4(3, 1, 2, 1))
    }

    @Test("the price of an annotation is the tokens' by what the original reckons with, and null where that is unknown")
    func prices() async throws {
        let server = try LoopbackServer { _ in
            .answer(
                body:
                    #"{"choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "m", "logprob": -1}]}]}}], "usage": {"total_tokens": 250}}"#
            )
        }
        let template = "<|im_start|>user\n{instruction} {output_1} {output_2}\n<|im_end|>"
        let prompt = try PairwisePrompt(path: directory.write("prompt.txt", template))
        func row(_ output: String) -> ModelOutputs.Row {
            ModelOutputs.Row(instruction: "i", output: output, generator: nil, dataset: nil)
        }
        for (model, given, price) in [
            ("gpt-4-1106-preview", nil, 0.0025), ("gpt-4o-mini-2024-07-18", nil, 0.0000375),
            ("gpt-4-0613", nil, 0.0075),
            ("mine", nil, nil), ("mine", 0.5, 125),
        ] as [(String, Double?, Double?)] {
            let judge = try PairwiseJudge(
                annotator: "a",
                service: ChatService(address: server.address, model: model, key: nil, HTTPSettings()),
                prompt: prompt,
                cache: directory.url.appending(path: UUID().uuidString),
                pricePerToken: given
            )
            let annotations = try await judge.annotate([(row("x"), row("y"))], concurrency: 1) { _, _ in }.annotations
            let found = try #require(annotations[0]["preference_price_per_example"])
            if let price { #expect(abs((found.number ?? 0) - price) < 1e-12) } else { #expect(found == .null) }
        }
    }
}
