import JSONText

extension RowForms {
    func pair(of row: DatasetRow) throws(DatasetError) -> PairContent {
        if keys.chosen == nil && row.has("chosen_ids") {
            return .tokens(
                prompt: try row.tokens("prompt_ids"),
                chosen: try row.responseTokens("chosen_ids"),
                rejected: try row.responseTokens("rejected_ids")
            )
        }
        let (chosen, rejected) = (keys.chosen ?? "chosen", keys.rejected ?? "rejected")
        let promptKey = keys.prompt ?? keys.input ?? (row.has("prompt") ? "prompt" : nil)
        let prompt = try promptKey.map { (key) throws(DatasetError) in try row.passage(key) }
        switch (try row.passage(chosen), try row.passage(rejected)) {
        case (.text(let chosen), .text(let rejected)): return try pair(prompt, chosen, rejected, row)
        case (.messages(let chosen), .messages(let rejected)): return try pair(prompt, chosen, rejected, row)
        default:
            throw row.error(
                .inconsistent("one of \(quoted(chosen)) and \(quoted(rejected)) is a string, the other is not")
            )
        }
    }

    private func pair(
        _ prompt: Passage?,
        _ chosen: String,
        _ rejected: String,
        _ row: DatasetRow
    ) throws(DatasetError) -> PairContent {
        switch prompt {
        case .text(let prompt)?: return .text(prompt: prompt, chosen: chosen, rejected: rejected)
        case .messages(let prompt)?:
            return .messages(
                prompt: prompt,
                chosen: [message("assistant", chosen)],
                rejected: [message("assistant", rejected)]
            )
        case nil:
            let prompt = try commonBeginning(chosen, rejected, row)
            let count = prompt.utf8.count
            return .text(
                prompt: prompt,
                chosen: String(chosen.utf8.dropFirst(count)) ?? "",
                rejected: String(rejected.utf8.dropFirst(count)) ?? ""
            )
        }
    }

    /// The words that both texts begin with: the prompt, where none is given.
    ///
    /// It ends in front of white space, so that no word, and hardly a token, is cut in two.
    private func commonBeginning(
        _ chosen: String,
        _ rejected: String,
        _ row: DatasetRow
    ) throws(DatasetError) -> String {
        let (first, second) = (chosen.unicodeScalars, rejected.unicodeScalars)
        let common = zip(first, second).prefix { $0 == $1 }.map(\.0)
        guard common.count < first.count || common.count < second.count else {
            throw row.error(.inconsistent("the two texts are the same, and no prompt says where the responses begin"))
        }
        // Where white space follows in both texts the last common word is whole.
        let next = [first.dropFirst(common.count).first, second.dropFirst(common.count).first]
        let isWhole = next.allSatisfy { $0?.properties.isWhitespace ?? false }
        let end = isWhole ? common.count : common.lastIndex { $0.properties.isWhitespace } ?? 0
        guard end > 0 else {
            throw row.error(.inconsistent("the two texts do not begin with the same word, so there is no prompt"))
        }
        return String(String.UnicodeScalarView(common[..<end]))
    }

    private func pair(
        _ prompt: Passage?,
        _ chosen: [JSON],
        _ rejected: [JSON],
        _ row: DatasetRow
    ) throws(DatasetError) -> PairContent {
        var prompt = prompt
        if case .text(let text)? = prompt {
            // A prompt in text names the dialogue; only where the dialogue lacks it is it a message of its own.
            let isMissing = isAnswer(chosen[0]) && isAnswer(rejected[0])
            prompt = isMissing ? .messages([message("user", text)]) : nil
        }
        let count = zip(chosen, rejected).prefix { $0 == $1 }.count
        if case .messages(let messages)? = prompt {
            let isWithin = count >= messages.count && Array(chosen.prefix(messages.count)) == messages
            return try split(messages, chosen, rejected, at: isWithin ? messages.count : 0, row)
        }
        let end = min(count, chosen.count - 1, rejected.count - 1)
        guard end > 0 else {
            throw row.error(.inconsistent("the two dialogues have no first message in common, so there is no prompt"))
        }
        return try split(Array(chosen[..<end]), chosen, rejected, at: end, row)
    }

    private func split(
        _ prompt: [JSON],
        _ chosen: [JSON],
        _ rejected: [JSON],
        at start: Int,
        _ row: DatasetRow
    ) throws(DatasetError) -> PairContent {
        .messages(
            prompt: prompt,
            chosen: try answer(.messages(Array(chosen[start...])), row, keys.chosen ?? "chosen"),
            rejected: try answer(.messages(Array(rejected[start...])), row, keys.rejected ?? "rejected")
        )
    }
}
