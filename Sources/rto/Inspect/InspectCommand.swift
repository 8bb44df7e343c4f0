import Configuration
import JSONText
import Training

/// `rto inspect`: rows as tokens, on standard output.
func showInspection(_ configuration: InspectConfiguration) throws {
    if configuration.printsJSON {
        var rows: [JSON] = []
        try inspect(configuration) { rows.append($0.json) }
        return try writeToStandardOutput((["rows": .array(rows)] as JSON).serialized() + "\n")
    }
    let text = InspectionText(configuration)
    var hasRewards = false
    try inspect(configuration) { row in
        try writeToStandardOutput(text.row(row) + "\n")
        hasRewards = hasRewards || row.sequences.contains { $0.rewardSum != nil }
    }
    try writeToStandardOutput(text.legend(hasRewards: hasRewards))
}

extension InspectedRow {
    /// The row for programs.
    var json: JSON {
        var object = JSONObject()
        object["row"] = .integer(number)
        object["source"] = .string("\(source)")
        object["kind"] = .string(kind)
        object["label"] = label.map { .bool($0) }
        object["dropped"] = .bool(isDropped)
        object["notes"] = .array(notes.map { .string($0) })
        object["common_tokens"] = commonTokens.map { .integer($0) }
        object["sequences"] = .array(sequences.map(\.json))
        return .object(object)
    }

    /// How many tokens both responses of a pair begin with.
    var commonTokens: Int? {
        guard sequences.count == 2 else { return nil }
        let responses = sequences.map { $0.tokens.drop { $0.part == .prompt } }
        return zip(responses[0], responses[1]).prefix { $0.id == $1.id }.count
    }

    /// What became of the row on its way to training, in words.
    var notes: [String] {
        guard let report else { return [] }
        var notes: [String] = []
        if report.promptsTooLong > 0 {
            notes.append(
                kind == "prompt"
                    ? "training drops this row: its prompt is longer than --max-prompt-length"
                    : "training drops this row: its prompt leaves no room for a response within --max-length"
            )
        }
        if report.responsesEmpty > 0 { notes.append("training drops this row: its response is empty") }
        if report.responsesCut > 0 { notes.append("cut at its end to fit --max-length") }
        if report.responsesTokenizedApart > 0 {
            notes.append("the response is tokenised apart: a token would span the end of the prompt")
        }
        return notes
    }
}

extension InspectedRow.Sequence {
    func count(_ part: InspectedRow.Part) -> Int { tokens.count { $0.part == part } }

    fileprivate var json: JSON {
        var object = JSONObject()
        object["name"] = .string(name)
        object["num_tokens"] = .integer(tokens.count)
        object["num_prompt"] = .integer(count(.prompt))
        object["num_learned"] = .integer(count(.learned))
        object["token_reward_sum"] = rewardSum.map { .number($0) }
        object["score"] = score.map { .number($0) }
        object["tokens"] = .array(tokens.map(\.json))
        return .object(object)
    }
}

extension InspectedRow.Token {
    fileprivate var json: JSON {
        var object = JSONObject()
        object["id"] = .integer(id)
        if let bytes {
            // What is part of a character is no text.
            if let text = String(validating: bytes, as: UTF8.self) {
                object["text"] = .string(text)
            } else {
                object["bytes"] = .array(bytes.map { .integer(Int($0)) })
            }
        }
        object["part"] = .string(part == .notLearned ? "not_learned" : part.rawValue)
        object["special"] = .bool(isSpecial)
        object["log_ratio"] = logRatio.map { .number($0) }
        object["reward"] = reward.map { .number($0) }
        return .object(object)
    }
}
