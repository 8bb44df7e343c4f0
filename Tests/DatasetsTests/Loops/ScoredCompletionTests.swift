import JSONText
import TestSupport
import Testing

@testable import Datasets

private let place = RowLocation(path: "scored.jsonl", line: 7)

private func row(_ text: String) throws -> JSONObject {
    try #require(try JSON(parsing: text, options: .init(allowsNonFiniteNumbers: true)).object)
}

private func completion(_ text: String) throws -> ScoredCompletion {
    try ScoredCompletion(try row(text), rewardKey: "score", at: place)
}

@Suite struct ScoredCompletionTests {
    @Test(
        "A row without a usable reward, prompt or completion is refused with its place",
        arguments: [
            (#"{"prompt":"p","completion":"c"}"#, "the row has no \"score\""),
            (#"{"prompt":"p","completion":"c","score":NaN}"#, "\"score\" is nan"),
            (#"{"prompt":"p","completion":"c","score":Infinity}"#, "\"score\" is inf"),
            (#"{"prompt":"p","completion":"c","score":"good"}"#, "\"score\" must be a number, and is a string"),
            (#"{"prompt":"p","completion":"c","score":null}"#, "the row has no \"score\""),
            (#"{"prompt":"p","score":1}"#, "the row has none of the forms"),
            (#"{"completion":"c","score":1}"#, "the row has none of the forms"),
            (#"{"prompt_ids":[1],"completion_ids":[],"score":1}"#, "\"completion_ids\" is empty"),
            (#"{"prompt_ids":[1],"completion_ids":[-1],"score":1}"#, "token ids"),
            (#"{"messages":[],"completion":"c","score":1}"#, "empty list of messages"),
        ]
    )
    func refusals(text: String, sentence: String) {
        #expect { try completion(text) } throws: { error in
            let words = "\(error)"
            return error is DatasetError && words.hasPrefix("scored.jsonl:7: ") && words.contains(sentence)
        }
    }

    @Test("A reward may stand in another column") func rewardKey() throws {
        let row = try row(#"{"prompt":"p","completion":"c","judge":2}"#)
        #expect(try ScoredCompletion(row, rewardKey: "judge", at: place).reward == 2)
    }

    @Test("An example learns the ids that were sampled, and keeps what else the row says") func example() throws {
        let text =
            #"{"id":5,"prompt":"p","completion":"c","prompt_ids":[1,2],"completion_ids":[3],"score":1,"values":[0]}"#
        let expected = #"{"id":5,"prompt":"p","completion":"c","score":1,"input_ids":[1,2,3],"prompt_length":2}"#
        #expect(try completion(text).example == row(expected))
    }

    @Test("An example of text stays one, and one of messages becomes a whole conversation") func textExample() throws {
        let text = #"{"prompt":"p","completion":"c","score":1}"#
        #expect(try completion(text).example == row(text))
        let messages = #"{"messages":[{"role":"user","content":"q"}],"completion":"a","score":1}"#
        let answer = #"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"#
        #expect(try completion(messages).example == row(answer + #""completion":"a","score":1}"#))
    }

    @Test("A preference has both rewards and both lists of ids, and only what its completions have in common")
    func preference() throws {
        let best = try completion(
            #"{"topic":"x","n":1,"prompt":"p","completion":"b","prompt_ids":[1],"completion_ids":[3,2],"score":2.5}"#
        )
        let worst = try completion(
            #"{"topic":"x","n":2,"prompt":"p","completion":"w","prompt_ids":[1],"completion_ids":[4],"score":-1}"#
        )
        let expected = #"""
            {"topic":"x","prompt":"p","chosen":"b","rejected":"w","chosen_reward":2.5,"rejected_reward":-1.0,
             "prompt_ids":[1],"chosen_ids":[3,2],"rejected_ids":[4]}
            """#
        #expect(ScoredCompletion.preference(of: best, over: worst) == (try row(expected)))
    }

    @Test("A preference of conversations is one of messages, which training reads") func conversation() throws {
        let prompt = #""context_messages":[{"role":"user","content":"q"}]"#
        let best = try completion("{\(prompt),\"completion\":\"b\",\"score\":1}")
        let worst = try completion("{\(prompt),\"completion\":\"w\",\"score\":0}")
        let pair = ScoredCompletion.preference(of: best, over: worst)
        guard
            case .messages(let messages, let chosen, let rejected) = try RowForms(keys: DatasetKeys()).pair(
                of: DatasetRow(location: place, object: pair)
            )
        else {
            Issue.record("no pair of messages: \(pair)")
            return
        }
        #expect(messages == [["role": "user", "content": "q"]])
        #expect(chosen == [["role": "assistant", "content": "b"]])
        #expect(rejected == [["role": "assistant", "content": "w"]])
    }
}

@Suite struct PromptGroupsTests {
    private func groups(_ rows: [String]) throws -> PromptGroups {
        var groups = PromptGroups()
        for row in rows { groups.add(try completion(row)) }
        return groups
    }

    private func row(_ prompt: Int, _ completion: Int, _ score: Double) -> String {
        #"{"prompt_ids":[\#(prompt)],"completion_ids":[\#(completion)],"score":\#(score)}"#
    }

    @Test("Prompts are grouped wherever their rows stand; of equals the first one counts") func grouping() throws {
        let groups = try groups([
            row(1, 10, 0), row(2, 20, 5), row(1, 11, 3), row(2, 21, 5), row(1, 12, 3), row(1, 13, 0),
        ])
        #expect(groups.count == 2)
        #expect(groups.best.map { $0.ids?.completion } == [[11], [20]])
        let (pairs, dropped) = groups.pairs
        #expect(pairs.map { $0.best.ids?.completion } == [[11]] && pairs.map { $0.worst.ids?.completion } == [[10]])
        #expect(dropped == PromptGroups.Dropped(equal: 1, single: 0))
    }

    @Test("A prompt is its ids, else its messages whatever the order of their members, else its text byte by byte")
    func identity() throws {
        func count(_ prompts: [String]) throws -> Int {
            try groups(prompts.map { "{\($0),\"completion\":\"c\",\"score\":1}" }).count
        }
        let ids = #""prompt":"same","prompt_ids":[1],"completion_ids":[2]"#
        #expect(try count([ids, ids.replacing("[1]", with: "[3]")]) == 2)
        #expect(try count([ids, ids.replacing("same", with: "other")]) == 1)
        let messages = #""messages":[{"role":"user","content":"q"}]"#
        #expect(try count([messages, #""messages":[{"content":"q","role":"user"}]"#]) == 1)
        #expect(try count([messages, messages.replacing("q", with: "r")]) == 2)
        // Composed and decomposed, which Swift's strings take for the same.
        #expect(try count(["\"prompt\":\"\u{E9}\"", "\"prompt\":\"e\u{301}\""]) == 2)
        #expect(try count([#""prompt":"[1]""#, #""prompt_ids":[1],"completion_ids":[2]"#]) == 2)
    }

    @Test("Single completions make no pair") func singles() throws {
        let (pairs, dropped) = try groups([row(1, 10, 0), row(2, 20, 5)]).pairs
        #expect(pairs.isEmpty && dropped == PromptGroups.Dropped(equal: 0, single: 2))
    }
}

@Suite struct RewardTagTests {
    private func conditioned(_ text: String, tagIDs: [Int]?) throws -> JSONObject {
        let completion = try completion(text)
        return try completion.example(behind: RewardTag(reward: completion.reward), tagIDs: tagIDs, at: place)
    }

    @Test("A reward has two decimals and a space on either side, as what a person writes has") func text() {
        #expect(RewardTag(reward: 0.256).text == " <rm_score>: 0.26 ")
        #expect(RewardTag(reward: -12).text == " <rm_score>: -12.00 ")
        #expect(RewardTag(written: "<rm_score>: 5.00\n") == RewardTag(reward: 5))
    }

    @Test("The tag's ids stand between those of prompt and completion") func ids() throws {
        let directory = try TemporaryDirectory()
        let tokenizer = try TinyTokenizer.make(in: directory)
        #expect(RewardTag(reward: 1).ids(tokenizer) == bytes(" <rm_score>: 1.00 "))
        // Behind an "a" the merge "ab" spans the boundary, so the tag is made of its own.
        #expect(RewardTag(written: "b").ids(tokenizer) == bytes(" b "))
        let text = #"{"prompt":"p","completion":"c","prompt_ids":[1,2],"completion_ids":[3],"score":1}"#
        let made = try conditioned(text, tagIDs: [8, 9])
        #expect(made["input_ids"] == [1, 2, 8, 9, 3] && made["prompt_length"] == 4)
        #expect(made["prompt"] == "p <rm_score>: 1.00 " && made["completion"] == "c")
    }

    @Test("Without ids the tag follows the text; messages have no place for it") func withoutIDs() throws {
        let text = #"{"prompt":"p","completion":"c","prompt_ids":[1],"completion_ids":[3],"score":1}"#
        let expected = try row(#"{"prompt":"p <rm_score>: 1.00 ","completion":"c","score":1}"#)
        #expect(try conditioned(text, tagIDs: nil) == expected)
        let messages = #"{"messages":[{"role":"user","content":"q"}],"completion":"c","score":1"#
        #expect(throws: DatasetError.self) { try conditioned(messages + "}", tagIDs: [8]) }
        let made = try conditioned(messages + #","prompt_ids":[1],"completion_ids":[3]}"#, tagIDs: [8])
        #expect(made["messages"] == nil && made["input_ids"] == [1, 8, 3])
    }

    @Test("Rewards are scaled by the unbiased deviation, if they differ") func scale() throws {
        let scale = try #require(RewardScale([1, 2, 3, 6]))
        // Mean 3; (4 + 1 + 0 + 9) / 3 = 14/3.
        #expect(scale.mean == 3 && abs(scale.deviation - (14.0 / 3).squareRoot()) < 1e-15)
        #expect(abs(scale(6) - 3 / (14.0 / 3).squareRoot()) < 1e-15 && scale(3) == 0)
        #expect(RewardScale([2, 2]) == nil && RewardScale([2]) == nil && RewardScale([]) == nil)
    }
}

@Suite struct RowStreamTests {
    private struct Stop: Error {}

    @Test("Rows come one by one with their places, and what the reader of a row throws arrives as it is") func order()
        throws
    {
        let directory = try TemporaryDirectory()
        let first = try directory.write("a.jsonl", "{\"n\":1}\n\n{\"n\":2}")
        let second = try directory.write("b.json", "[{\"n\":3}]")
        var seen: [String] = []
        try RowStream(paths: [first, second]).forEach { row, place in
            seen.append("\(row["n"]?.integer ?? 0)@\(place.line)")
        }
        #expect(seen == ["1@1", "2@3", "3@1"])
        var count = 0
        #expect(throws: Stop.self) {
            try RowStream(paths: [first]).forEach { _, _ in
                count += 1
                throw Stop()
            }
        }
        #expect(count == 1)
        #expect(throws: DatasetError.self) { try RowStream(paths: [first + "l"]).forEach { _, _ in } }
    }
}
