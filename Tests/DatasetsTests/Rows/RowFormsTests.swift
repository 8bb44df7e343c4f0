import JSONText
import Testing

@testable import Datasets

/// The forms of rows, each shown by what it becomes.
@Suite struct RowFormsTests {
    private func row(_ text: String) throws -> DatasetRow {
        DatasetRow(
            location: RowLocation(path: "rows.jsonl", line: 3),
            object: try #require(try JSON(parsing: text).object)
        )
    }

    private func example(_ text: String, _ keys: DatasetKeys = DatasetKeys()) throws -> String {
        try described(RowForms(keys: keys).example(of: row(text)))
    }

    private func pair(_ text: String, _ keys: DatasetKeys = DatasetKeys()) throws -> String {
        try described(RowForms(keys: keys).pair(of: row(text)))
    }

    private func prompt(_ text: String, _ keys: DatasetKeys = DatasetKeys()) throws -> String {
        switch try RowForms(keys: keys).prompt(of: row(text)) {
        case .tokens(let ids): "\(ids)"
        case .passage(.text(let text)): text
        case .passage(.messages(let messages)): described(messages)
        }
    }

    private func described(_ content: ExampleContent) -> String {
        switch content {
        case .tokens(let ids, let promptLength): "\(ids) \(promptLength)"
        case .wholeText(let text): text
        case .text(let prompt, let response): "\(prompt)|\(response)"
        case .messages(let prompt, let response): "\(described(prompt))|\(described(response))"
        case .conversation(let messages): described(messages)
        }
    }

    private func described(_ content: PairContent) -> String {
        switch content {
        case .tokens(let prompt, let chosen, let rejected): "\(prompt)|\(chosen)|\(rejected)"
        case .text(let prompt, let chosen, let rejected): "\(prompt)|\(chosen)|\(rejected)"
        case .messages(let prompt, let chosen, let rejected):
            [prompt, chosen, rejected].map(described).joined(separator: "|")
        }
    }

    private func described(_ messages: [JSON]) -> String {
        messages.map { "\($0["role"]?.string?.first ?? "?"):\($0["content"]?.string ?? "?")" }.joined(separator: ",")
    }

    /// Messages, written `u:hello,a:hi`.
    private func list(_ messages: String) -> String {
        let roles = ["u": "user", "a": "assistant", "s": "system"]
        let objects = messages.split(separator: ",").map { message in
            "{\"role\":\"\(roles[String(message.prefix(1))] ?? "")\",\"content\":\"\(message.dropFirst(2))\"}"
        }
        return "[\(objects.joined(separator: ","))]"
    }

    @Test("Examples are conversations, prompts with completions, texts and ids")
    func examples() throws {
        #expect(try example("{\"messages\":\(list("s:x,u:q,a:r"))}") == "s:x,u:q,a:r")
        #expect(try example(#"{"prompt":"q","completion":"r"}"#) == "q|r")
        #expect(try example("{\"prompt\":\(list("u:q")),\"completion\":\(list("a:r"))}") == "u:q|a:r")
        #expect(try example("{\"prompt\":\(list("u:q")),\"completion\":\"r\"}") == "u:q|a:r")
        #expect(try example("{\"prompt\":\"q\",\"completion\":\(list("a:r"))}") == "u:q|a:r")
        #expect(try example(#"{"text":"all of it"}"#) == "all of it")
        #expect(try example(#"{"input_ids":[1,2,3],"prompt_length":1}"#) == "[1, 2, 3] 1")
        #expect(try example("{\"prompt\":\"q\",\"messages\":\(list("u:q,a:r"))}") == "u:q,a:r")
    }

    @Test("Examples take the columns that are asked for")
    func exampleKeys() throws {
        let keys = DatasetKeys(input: "question", output: "answer")
        #expect(try example(#"{"question":"q","answer":"r","text":"t"}"#, keys) == "q|r")
        #expect(try example("{\"chosen\":\(list("u:q,a:r"))}", DatasetKeys(input: "chosen")) == "u:q,a:r")
        #expect(try example(#"{"body":"all of it"}"#, DatasetKeys(input: "body")) == "all of it")
        #expect(try example(#"{"prompt":"q","best":"r"}"#, DatasetKeys(output: "best")) == "q|r")
        let error = #expect(throws: DatasetError.self) { try example(#"{"question":"q","anser":"r"}"#, keys) }
        #expect(
            error?.description
                == #"rows.jsonl:3: the row has no "answer"; its keys are "question", "anser"; did you mean "anser"?."#
        )
    }

    @Test("Pairs are texts with their prompt or with a common beginning")
    func textPairs() throws {
        #expect(try pair(#"{"prompt":"q","chosen":"c","rejected":"r"}"#) == "q|c|r")
        #expect(try pair(#"{"chosen":"Q: x A: yes","rejected":"Q: x A: yellow"}"#) == "Q: x A:| yes| yellow")
        #expect(try pair(#"{"chosen":"Q A","rejected":"Q A b"}"#) == "Q| A| A b")
        #expect(try pair(#"{"chosen":"Q c","rejected":"Q\nr"}"#) == "Q| c|\nr")
        #expect(
            try pair(#"{"q":"a","w":"b","l":"c"}"#, DatasetKeys(prompt: "q", chosen: "w", rejected: "l")) == "a|b|c"
        )
        for text in [
            #"{"chosen":"same","rejected":"same"}"#, #"{"chosen":"abc","rejected":"abd"}"#,
            #"{"chosen":"","rejected":"x"}"#,
        ] {
            #expect(throws: DatasetError.self, "\(text)") { try pair(text) }
        }
    }

    @Test("Pairs of dialogues have their prompt in front, in a column of its own, or as text of the first message")
    func dialoguePairs() throws {
        let (chosen, rejected) = (list("u:q,a:c"), list("u:q,a:r"))
        #expect(try pair("{\"chosen\":\(chosen),\"rejected\":\(rejected)}") == "u:q|a:c|a:r")
        #expect(try pair("{\"prompt\":\"q\",\"chosen\":\(chosen),\"rejected\":\(rejected)}") == "u:q|a:c|a:r")
        #expect(try pair("{\"prompt\":\(list("u:q")),\"chosen\":\(chosen),\"rejected\":\(rejected)}") == "u:q|a:c|a:r")
        #expect(
            try pair("{\"prompt\":\(list("u:q")),\"chosen\":\(list("a:c")),\"rejected\":\(list("a:r"))}")
                == "u:q|a:c|a:r"
        )
        #expect(try pair("{\"prompt\":\"q\",\"chosen\":\(list("a:c")),\"rejected\":\(list("a:r"))}") == "u:q|a:c|a:r")
        #expect(try pair("{\"prompt\":\(list("u:q")),\"chosen\":\"c\",\"rejected\":\"r\"}") == "u:q|a:c|a:r")
        #expect(
            try pair("{\"chosen\":\(list("u:q,a:x,u:y,a:c")),\"rejected\":\(list("u:q,a:z,u:y,a:r"))}")
                == "u:q|a:x,u:y,a:c|a:z,u:y,a:r"
        )
        #expect(try pair("{\"chosen\":\(chosen),\"rejected\":\(chosen)}") == "u:q|a:c|a:c")
    }

    @Test("Pairs that do not belong together are refused")
    func badPairs() throws {
        for text in [
            "{\"chosen\":\(list("u:q,a:c")),\"rejected\":\(list("u:other,a:r"))}",
            "{\"chosen\":\(list("u:q,u:c")),\"rejected\":\(list("u:q,u:r"))}",
            "{\"prompt\":\"q\",\"chosen\":\(list("a:c")),\"rejected\":\"r\"}",
            #"{"prompt":"q","chosen":"c"}"#, #"{"prompt":"q","chosen":1,"rejected":"r"}"#,
            #"{"prompt":"q","chosen":[],"rejected":[]}"#, #"{"chosen":[{"role":"user"}],"rejected":[]}"#,
            #"{"prompt_ids":[1],"chosen_ids":[],"rejected_ids":[1]}"#,
            #"{"prompt_ids":[1],"chosen_ids":[1],"rejected_ids":["1"]}"#,
            #"{"prompt_ids":[-1],"chosen_ids":[1],"rejected_ids":[1]}"#,
        ] { #expect(throws: DatasetError.self, "\(text)") { try pair(text) } }
        let ids = #"{"prompt_ids":[1,-2],"chosen_ids":[1],"rejected_ids":[1]}"#
        let error = #expect(throws: DatasetError.self) { try pair(ids) }
        let sentence =
            #"rows.jsonl:3: "prompt_ids" must be a list of token ids, which are whole numbers from 0, and element 2 is -2."#
        #expect(error?.description == sentence)
        #expect(
            try pair(#"{"prompt_ids":[1],"chosen_ids":[2],"rejected_ids":[3],"prompt":"x"}"#) == "[1]|[2]|[3]"
        )
    }

    @Test("Prompts are texts, messages and ids; a conversation is asked for its last answer again")
    func prompts() throws {
        #expect(try prompt(#"{"prompt":"q"}"#) == "q")
        #expect(try prompt("{\"prompt\":\(list("s:x,u:q"))}") == "s:x,u:q")
        #expect(try prompt("{\"context_messages\":\(list("u:q,a:r,u:p"))}") == "u:q,a:r,u:p")
        #expect(try prompt("{\"messages\":\(list("u:q,a:r"))}") == "u:q")
        #expect(try prompt("{\"prompt\":\"q\",\"messages\":\(list("u:q,a:r"))}") == "u:q")
        #expect(try prompt(#"{"prompt_ids":[5,6],"prompt":"q"}"#) == "[5, 6]")
        #expect(try prompt(#"{"instruction":"q"}"#, DatasetKeys(input: "instruction")) == "q")
        let error = #expect(throws: DatasetError.self) { try prompt("{}") }
        #expect(
            error?.description
                == "rows.jsonl:3: the row has none of the forms prompt, context_messages, messages or prompt_ids; its keys are none."
        )
    }

    @Test("Examples of a wrong form are refused")
    func badExamples() throws {
        for text in [
            "{}", #"{"messages":[]}"#, #"{"messages":"x"}"#, #"{"messages":[{"role":"assistant","content":"x"}]}"#,
            "{\"messages\":\(list("u:q"))}", "{\"messages\":\(list("u:q,a:r,u:p"))}",
            #"{"messages":[{"role":"user","content":null},{"role":"assistant","content":"x"}]}"#,
            #"{"prompt":"q","completion":7}"#, #"{"text":["x"]}"#, #"{"input_ids":[1,2],"prompt_length":2}"#,
            #"{"input_ids":[1,2],"prompt_length":-1}"#, #"{"input_ids":[1,2]}"#, #"{"input_ids":[],"prompt_length":0}"#,
            #"{"input_ids":[1.5],"prompt_length":0}"#,
        ] { #expect(throws: DatasetError.self, "\(text)") { try example(text) } }
    }
}
