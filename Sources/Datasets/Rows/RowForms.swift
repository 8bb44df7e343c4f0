import JSONText

/// Recognises which of the known forms a row has.
///
/// Tokens go before messages and messages before text, since each says more than the next; a key that was asked for goes before all.
struct RowForms {
    let keys: DatasetKeys

    private var inputKey: String? { keys.input ?? keys.prompt }

    func prompt(of row: DatasetRow) throws(DatasetError) -> PromptContent {
        if let inputKey { return .passage(try promptPassage(of: row, inputKey)) }
        if row.has("prompt_ids") { return .tokens(try row.tokens("prompt_ids")) }
        for key in ["context_messages", "prompt", "messages"] where row.object[key]?.array != nil {
            return .passage(try promptPassage(of: row, key))
        }
        guard row.has("prompt") else { throw row.unknownForm("prompt, context_messages, messages or prompt_ids") }
        return .passage(try row.passage("prompt"))
    }

    /// The passage of a column; `messages` holds a whole conversation, of which a last answer is no part of the prompt.
    func promptPassage(of row: DatasetRow, _ key: String) throws(DatasetError) -> Passage {
        let passage = try row.passage(key)
        guard key == "messages", case .messages(let messages) = passage, messages.count > 1,
            isAnswer(messages[messages.count - 1])
        else { return passage }
        return .messages(messages.dropLast())
    }

    func example(of row: DatasetRow) throws(DatasetError) -> ExampleContent {
        if inputKey == nil && row.has("input_ids") { return try tokenizedExample(of: row) }
        if let inputKey { return try example(of: row, input: inputKey) }
        if keys.output == nil && row.has("messages") { return try conversation(of: row, key: "messages") }
        if keys.output != nil || (row.has("prompt") && row.has("completion")) {
            return try example(of: row, input: "prompt")
        }
        guard row.has("text") else { throw row.unknownForm("messages, prompt with completion, text, or input_ids") }
        return .wholeText(try row.text("text"))
    }

    private func outputKey(of row: DatasetRow) -> String? {
        keys.output ?? (row.has("completion") ? "completion" : nil)
    }

    private func tokenizedExample(of row: DatasetRow) throws(DatasetError) -> ExampleContent {
        let ids = try row.responseTokens("input_ids")
        let length = try row.value("prompt_length")
        guard let promptLength = length.integer, (0..<ids.count).contains(promptLength) else {
            throw row.error(.inconsistent("\"prompt_length\" must be a whole number from 0 to \(ids.count - 1) here"))
        }
        return .tokens(ids, promptLength: promptLength)
    }

    private func example(of row: DatasetRow, input: String) throws(DatasetError) -> ExampleContent {
        guard let output = outputKey(of: row) else {
            guard case .text(let text) = try row.passage(input) else { return try conversation(of: row, key: input) }
            return .wholeText(text)
        }
        switch (try row.passage(input), try row.passage(output)) {
        case (.text(let prompt), .text(let response)): return .text(prompt: prompt, response: response)
        case (.messages(let prompt), let response):
            return .messages(prompt: prompt, response: try answer(response, row, output))
        case (.text(let prompt), .messages(let response)):
            return .messages(prompt: [message("user", prompt)], response: try answer(.messages(response), row, output))
        }
    }

    /// A conversation that ends with an answer.
    private func conversation(of row: DatasetRow, key: String) throws(DatasetError) -> ExampleContent {
        guard case .messages(let messages) = try row.passage(key) else {
            throw row.wrongKind(key, "a list of messages", try row.value(key))
        }
        _ = try answer(.messages([messages[messages.count - 1]]), row, key)
        guard messages.count > 1 else {
            throw row.error(.inconsistent("\(quoted(key)) has no message in front of the answer"))
        }
        return .conversation(messages)
    }

    /// The messages of a response, of which the first must be the assistant's.
    func answer(_ passage: Passage, _ row: DatasetRow, _ key: String) throws(DatasetError) -> [JSON] {
        switch passage {
        case .text(let text): return [message("assistant", text)]
        case .messages(let messages):
            guard let first = messages.first, isAnswer(first) else {
                let role = messages.first?["role"]?.string ?? "none"
                throw row.error(
                    .inconsistent(
                        "the response in \(quoted(key)) must begin with the assistant, not with \(quoted(role))"
                    )
                )
            }
            return messages
        }
    }

    func message(_ role: String, _ content: String) -> JSON { ["role": .string(role), "content": .string(content)] }

    func isAnswer(_ message: JSON) -> Bool { message["role"] == "assistant" }
}
