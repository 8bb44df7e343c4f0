import Configuration
import Datasets
import Foundation
import JSONText
import Tokenizers

/// Makes rows to train on of scored completions.
///
/// Where the completions' ids are known, training reads those very ids.
///
/// - Throws: an error of data that names the row; no file is written then.
public func pairs(_ configuration: PairsConfiguration) throws {
    let output = try LineOutput(path: configuration.output)
    switch configuration.selection {
    case .best?: try writeBest(configuration, output)
    case .iterativeDPO?: try writePreferences(configuration, output)
    case .conditional?: try writeConditional(configuration, output)
    case nil: break
    }
    try output.finish()
}

private func forEachCompletion(
    _ configuration: PairsConfiguration,
    _ body: (ScoredCompletion, RowLocation) throws -> Void
) throws {
    var count = 0
    try RowStream(paths: configuration.data).forEach { row, location in
        try body(try ScoredCompletion(row, rewardKey: configuration.rewardKey, at: location), location)
        count += 1
    }
    guard count > 0 else { throw TrainingError("there are no completions to choose from") }
}

private func write(_ row: JSONObject, to output: LineOutput) throws {
    try output.write(JSON.object(row).serialized() + "\n")
}

private func groups(_ configuration: PairsConfiguration) throws -> PromptGroups {
    var groups = PromptGroups()
    try forEachCompletion(configuration) { completion, _ in groups.add(completion) }
    return groups
}

private func writeBest(_ configuration: PairsConfiguration, _ output: LineOutput) throws {
    let groups = try groups(configuration)
    for completion in groups.best { try write(completion.example, to: output) }
    note("pairs: the best completion of each of \(groups.count) prompts")
}

private func writePreferences(_ configuration: PairsConfiguration, _ output: LineOutput) throws {
    let groups = try groups(configuration)
    let (pairs, dropped) = groups.pairs
    guard !pairs.isEmpty else {
        let reason =
            dropped.equal == 0
            ? "each has a single completion; sample more with `rto generate --samples-per-prompt`"
            : "\(dropped.equal) have completions of equal reward, \(dropped.single) a single one"
        throw TrainingError("none of the \(groups.count) prompts makes a pair: \(reason)")
    }
    for pair in pairs { try write(ScoredCompletion.preference(of: pair.best, over: pair.worst), to: output) }
    note(
        "pairs: \(pairs.count) of \(groups.count) prompts make a pair; dropped \(dropped.equal) of equal rewards, "
            + "\(dropped.single) with a single completion"
    )
}

private func writeConditional(_ configuration: PairsConfiguration, _ output: LineOutput) throws {
    let tokenizer = try configuration.model.map(modelTokenizer)
    var completions: [(ScoredCompletion, RowLocation)] = []
    try forEachCompletion(configuration) { completions.append(($0, $1)) }
    var scale: RewardScale?
    if configuration.normalizesReward {
        scale = RewardScale(completions.map(\.0.reward))
        guard scale != nil else {
            throw TrainingError(
                "--normalize-reward: the \(completions.count) rewards do not differ, so they have no scale"
            )
        }
    }
    for (completion, location) in completions {
        let tag = RewardTag(reward: scale.map { $0(completion.reward) } ?? completion.reward)
        let ids = tokenizer.map(tag.ids)
        try write(try completion.example(behind: tag, tagIDs: ids, at: location), to: output)
    }
    let withoutIDs = completions.count { tokenizer == nil && $0.0.ids != nil }
    let remark = withoutIDs > 0 ? "; rows of text, since no --model says how their ids go on" : ""
    note("pairs: \(completions.count) completions behind their rewards" + remark)
}
