import JSONText

/// A completion of a prompt and the reward it was given: a row of what `rto score` writes.
public struct ScoredCompletion: Sendable {
    /// The whole row.
    public let row: JSONObject
    /// The reward; always finite.
    public let reward: Double
    /// The ids that were read and sampled, where the row holds them.
    public let ids: Tokens?
    /// The completion in text, where the row holds it.
    public let completion: String?
    /// The prompt in text or messages, where the row holds it.
    let prompt: Passage?
    /// Equal for rows whose prompts are equal as data.
    let promptIdentity: [UInt8]

    /// A prompt's ids and those of the completion, its end of sequence included where it was reached.
    public struct Tokens: Sendable, Equatable {
        /// The prompt's ids, at least one.
        public let prompt: [Int]
        /// The sampled ids, at least one.
        public let completion: [Int]
    }

    /// Reads a row.
    ///
    /// - Parameter rewardKey: The column of the reward.
    /// - Throws: `DatasetError` where the reward is missing or not finite, and where there is no prompt or no completion.
    public init(_ object: JSONObject, rewardKey: String, at location: RowLocation) throws(DatasetError) {
        let row = DatasetRow(location: location, object: object)
        guard row.has(rewardKey) else {
            throw row.error(
                .inconsistent(
                    "the row has no \(quoted(rewardKey)); `rto score --reward-model DIRECTORY` adds \"score\", "
                        + "--reward-key names another column"
                )
            )
        }
        guard let reward = object[rewardKey]?.number else {
            throw row.wrongKind(rewardKey, "a number", try row.value(rewardKey))
        }
        guard reward.isFinite else {
            throw row.error(.inconsistent("\(quoted(rewardKey)) is \(reward), which no other reward compares with"))
        }
        let ids = try Self.tokens(row)
        let prompt = try Self.prompt(row)
        completion = row.has("completion") ? try row.text("completion") : nil
        guard ids != nil || (prompt != nil && completion != nil) else {
            throw row.unknownForm("prompt_ids with completion_ids, and prompt or messages with completion")
        }
        self.row = object
        self.reward = reward
        self.ids = ids
        self.prompt = prompt
        promptIdentity = Self.identity(ids, prompt)
    }

    private static func tokens(_ row: DatasetRow) throws(DatasetError) -> Tokens? {
        guard row.has("prompt_ids"), row.has("completion_ids") else { return nil }
        return Tokens(
            prompt: try row.responseTokens("prompt_ids"),
            completion: try row.responseTokens("completion_ids")
        )
    }

    private static func prompt(_ row: DatasetRow) throws(DatasetError) -> Passage? {
        let keys = ["context_messages", "prompt", "messages"]
        guard
            let key = keys.first(where: { row.object[$0]?.array != nil })
                ?? (row.object["prompt"]?.string == nil ? nil : "prompt")
        else { return nil }
        return try RowForms(keys: DatasetKeys()).promptPassage(of: row, key)
    }

    private static func identity(_ ids: Tokens?, _ prompt: Passage?) -> [UInt8] {
        let data: JSON =
            switch (ids, prompt) {
            case (let ids?, _): .array(ids.prompt.map(JSON.integer))
            case (nil, .text(let text)?): .string(text)
            case (nil, .messages(let messages)?): .array(messages)
            case (nil, nil): .null
            }
        return data.identity
    }
}
