import JSONText

// What becomes of scored completions: rows that training reads. Where ids were sampled, training reads those very ids.
extension ScoredCompletion {
    /// Columns that say something of each token of the completion, or that the new row says otherwise.
    private static let passing: Set<String> = [
        "ids", "values", "log_probabilities", "token_rewards", "top_logits", "prompt_ids", "completion_ids",
        "input_ids",
        "prompt_length", "finish_reason",
    ]

    /// A row for supervised fine-tuning: learn this completion.
    public var example: JSONObject { example(tag: nil) }

    /// A row for conditional supervised fine-tuning: learn this completion behind the prompt and the tag.
    ///
    /// - Parameter tagIDs: The tag's ids; nil makes a row of text.
    /// - Throws: `DatasetError` where there are neither ids to put the tag's behind nor a prompt in text.
    public func example(behind tag: RewardTag, tagIDs: [Int]?, at location: RowLocation) throws(DatasetError)
        -> JSONObject
    {
        if ids != nil, let tagIDs { return example(tag: (tag, tagIDs)) }
        guard case .text(let text)? = prompt, completion != nil else {
            throw DatasetError(
                location: location,
                .inconsistent(
                    "a tag in text needs \"prompt\" and \"completion\" in text; rows with prompt_ids and completion_ids "
                        + "need --model DIRECTORY, whose tokenizer makes ids of it"
                )
            )
        }
        var object = passedThrough
        object["prompt"] = .string(text + tag.text)
        return object
    }

    private func example(tag: (tag: RewardTag, ids: [Int])?) -> JSONObject {
        var object = passedThrough
        switch prompt {
        case .text(let text)?: object["prompt"] = .string(text + (tag?.tag.text ?? ""))
        // A conversation has no place for the tag, and without it the row would say something else than its ids.
        case .messages(let messages)?:
            if let completion, tag == nil { object["messages"] = .array(messages + [answer(completion)]) }
        case nil: break
        }
        guard let ids else { return object }
        let front = ids.prompt + (tag?.ids ?? [])
        object["input_ids"] = list(front + ids.completion)
        object["prompt_length"] = .integer(front.count)
        return object
    }

    /// A preference of one completion over another of the same prompt.
    ///
    /// Of the other columns it keeps those that both completions have in common.
    public static func preference(of chosen: ScoredCompletion, over rejected: ScoredCompletion) -> JSONObject {
        var object = JSONObject()
        for (key, value) in chosen.passedThrough.members
        where key != "completion" && rejected.row[key] == value { object[key] = value }
        switch chosen.prompt {
        case .text(let text)?: object["prompt"] = .string(text)
        case .messages(let messages)?: object["prompt"] = .array(messages)
        case nil: break
        }
        if let best = chosen.completion, let worst = rejected.completion {
            var isConversation = false
            if case .messages? = chosen.prompt { isConversation = true }
            object["chosen"] = isConversation ? [chosen.answer(best)] : .string(best)
            object["rejected"] = isConversation ? [chosen.answer(worst)] : .string(worst)
        }
        object["chosen_reward"] = .number(chosen.reward)
        object["rejected_reward"] = .number(rejected.reward)
        guard let best = chosen.ids, let worst = rejected.ids else { return object }
        object["prompt_ids"] = chosen.list(best.prompt)
        object["chosen_ids"] = chosen.list(best.completion)
        object["rejected_ids"] = chosen.list(worst.completion)
        return object
    }

    private var passedThrough: JSONObject {
        var object = JSONObject()
        for (key, value) in row.members where !Self.passing.contains(key) {
            if case .messages? = prompt, ["prompt", "messages", "context_messages"].contains(key) { continue }
            object[key] = value
        }
        return object
    }

    private func answer(_ text: String) -> JSON { ["role": "assistant", "content": .string(text)] }

    private func list(_ ids: [Int]) -> JSON { .array(ids.map(JSON.integer)) }
}
