import Configuration
import Datasets
import Foundation
import Models
import Tokenizers
import Torch

/// The rewards of pairs of responses, in the order of the rows.
public struct PairRewards: Sendable {
    /// Of the first, or chosen, response of each pair.
    public let chosen: [Double]
    /// Of the other one.
    public let rejected: [Double]
}

/// The rewards of held-out pairs: a reward model's, or a policy's implicit ones, β·log(π/π_ref) summed over the response.
public func heldOutRewards(_ configuration: HeldOutConfiguration) throws -> PairRewards {
    let device = try chosenDevice(configuration.compute)
    let precision = configuration.compute.precision.dtype
    let role = ParameterStore.Preparation.frozen(precision, on: device)
    if let path = configuration.rewardModel {
        let model = try ScoreModel.load(URL(filePath: path), role, precision: precision)
        let rows = try heldOutPairs(configuration, model.configuration)
        return try rewards(rows, configuration) { model.rewards($0).doubles }
    }
    let policy = try LanguageModel.load(URL(filePath: configuration.model.model), role, precision: precision)
    let path = configuration.model.referenceDirectory
    let reference = try LanguageModel.load(URL(filePath: path), role, precision: precision)
    try checkVocabulary(of: path, reference.configuration, role: "reference model", matches: policy.configuration, nil)
    let rows = try heldOutPairs(configuration, policy.configuration)
    return try rewards(rows, configuration) { batch in
        let sums = batch.ragged.sums(policy.logProbabilities(batch)).doubles
        let references = batch.ragged.sums(reference.logProbabilities(batch)).doubles
        return zip(sums, references).map { configuration.beta * ($0 - $1) }
    }
}

/// log p of the first token in which the two responses of each pair differ, by a language model.
public func firstTokenLogProbabilities(_ configuration: HeldOutConfiguration) throws -> PairRewards {
    let device = try chosenDevice(configuration.compute)
    let precision = configuration.compute.precision.dtype
    let directory = URL(filePath: configuration.model.model)
    let model = try LanguageModel.load(directory, .frozen(precision, on: device), precision: precision)
    let rows = try heldOutPairs(configuration, model.configuration)
    return try rewards(rows, configuration) { batch in
        let values = model.logProbabilities(batch).doubles
        return (0..<batch.lengths.count).map { values[batch.ragged.range($0).lowerBound] }
    }
}

private func heldOutPairs(_ configuration: HeldOutConfiguration, _ model: ModelConfiguration) throws -> StageRows<
    PairRow
> {
    let tokenizer = try loadTokenizer(configuration.tokenizerDirectory, vocabularySize: model.vocabularySize)
    let pairs = try configuration.data.reader(
        configuration.data.sources,
        tokenizer: tokenizer,
        vocabularySize: model.vocabularySize,
        seed: 0
    ).rows(.pairs, maximumLength: configuration.data.maxLength)
    report(pairs.report, "pairs")
    return StageRows(pairs.rows.map(PairRow.init))
}

private func rewards(
    _ pairs: StageRows<PairRow>,
    _ configuration: HeldOutConfiguration,
    _ score: (ResponseBatch) -> [Double]
) throws -> PairRewards {
    var scores: [Double] = []
    try withoutGradients {
        try pairs.forEachMicroBatch(tokenBudget: configuration.microBatchTokens) { batch, _ in scores += score(batch) }
    }
    return PairRewards(chosen: scores.alternate(from: 0), rejected: scores.alternate(from: 1))
}
