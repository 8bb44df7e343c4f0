import Configuration
import Foundation
import Models
import Objectives
import Tokenizers
import Torch

/// The models that are asked about rows; none of them, and no LibTorch, where none is named.
struct InspectionModels {
    private let configuration: InspectConfiguration
    private let pair: (dpo: LanguageModel, reference: LanguageModel)?
    private let rewardModel: ScoreModel?

    init(_ configuration: InspectConfiguration) throws {
        self.configuration = configuration
        guard configuration.tokenReward.dpoModel != nil || configuration.rewardModel != nil else {
            (pair, rewardModel) = (nil, nil)
            return
        }
        let device = try chosenDevice(configuration.compute)
        let precision = configuration.compute.precision.dtype
        let shared = SharedWeights()
        func language(_ path: String) throws -> LanguageModel {
            let preparation = ParameterStore.Preparation.frozen(precision, on: device)
            return try .load(URL(filePath: path), preparation, precision: precision, sharing: shared)
        }
        pair = try configuration.tokenReward.dpoModel.map {
            (try language($0), try language(configuration.referenceDirectory))
        }
        rewardModel = try configuration.rewardModel.map {
            let preparation = ParameterStore.Preparation.frozen(precision, on: device)
            return try .load(URL(filePath: $0), preparation, precision: precision, sharing: shared)
        }
    }

    private var named: [(directory: String, role: String, model: ModelConfiguration)] {
        var named: [(String, String, ModelConfiguration)] = []
        if let pair, let directory = configuration.tokenReward.dpoModel {
            named.append((directory, "DPO model", pair.dpo.configuration))
            named.append((configuration.referenceDirectory, "reference model", pair.reference.configuration))
        }
        if let rewardModel, let directory = configuration.rewardModel {
            named.append((directory, "reward model", rewardModel.configuration))
        }
        return named
    }

    var vocabularySizes: [Int] { named.map(\.model.vocabularySize) }

    /// Throws where a model has another vocabulary than the rows are written in.
    func check(_ tokenizer: Tokenizer?) throws {
        guard let first = named.first else { return }
        for (directory, role, model) in named where directory != configuration.tokenizerDirectory {
            try checkVocabulary(of: directory, model, role: role, matches: first.model, tokenizer)
        }
    }

    /// The sequences with rewards of tokens and scores; a sequence without response has none.
    func judged(_ sequences: [InspectedRow.Sequence]) -> [InspectedRow.Sequence] {
        let rows = sequences.map(\.batchRow)
        guard pair != nil || rewardModel != nil, rows.allSatisfy({ !$0.response.isEmpty }) else { return sequences }
        var judged = sequences
        withoutGradients {
            let batch = ResponseBatch(rows)
            if let pair {
                let (dpo, reference) = (pair.dpo.logProbabilities(batch), pair.reference.logProbabilities(batch))
                func rewards(scale: Double, clip: Double) -> [Float] {
                    tokenRewards(dpo: dpo, reference: reference, scale: scale, clip: clip).rewards.floats
                }
                let (scale, clip) = (configuration.tokenReward.scale, configuration.tokenReward.clip)
                let (ratios, paid) = (rewards(scale: 1, clip: 0), rewards(scale: scale, clip: clip))
                let ragged = RaggedRows(lengths: batch.lengths)
                for index in judged.indices {
                    let places = judged[index].tokens.indices.filter { judged[index].tokens[$0].part == .learned }
                    for (place, number) in zip(places, ragged.range(index)) {
                        judged[index].tokens[place].logRatio = Double(ratios[number])
                        judged[index].tokens[place].reward = Double(paid[number])
                    }
                }
            }
            if let scores = rewardModel?.rewards(batch).floats {
                for index in judged.indices { judged[index].score = Double(scores[index]) }
            }
        }
        return judged
    }
}

extension InspectedRow.Sequence {
    /// The sequence as models are asked about it: scored is what is learned.
    fileprivate var batchRow: ResponseBatch.Row {
        let promptLength = tokens.prefix { $0.part == .prompt }.count
        return ResponseBatch.Row(
            prompt: tokens.prefix(promptLength).map(\.id),
            response: tokens.dropFirst(promptLength).map(\.id),
            isScored: tokens.dropFirst(promptLength).map { $0.part == .learned }
        )
    }
}
