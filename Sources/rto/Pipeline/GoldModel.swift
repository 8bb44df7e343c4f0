import Foundation
import Models
import Tokenizers
import Torch
import Training

/// A reward model whose score is taken for the truth about responses.
struct GoldModel {
    private let model: ScoreModel
    private let tokenizer: Tokenizer
    private let path: String

    init(_ path: String) throws {
        self.path = path
        tokenizer = try modelTokenizer(path)
        model = try ScoreModel.load(URL(filePath: path), .frozen())
    }

    /// Scores of responses to the prompts of a file, equally many to each, whose tokens the gold model must share.
    func scores(_ samples: [SampledRow], prompts: String) throws -> [Double] {
        let prompts = try ResponseScorer.promptTokens(prompts, tokenizer)
        let known = 0..<model.configuration.vocabularySize
        guard !prompts.isEmpty, samples.count % prompts.count == 0 else {
            throw PipelineError("\(path): the gold model's tokenizer does not read all prompts as the policy's does")
        }
        let perPrompt = samples.count / prompts.count
        let rows = try samples.enumerated().map { index, sample in
            guard !sample.tokens.isEmpty, sample.tokens.allSatisfy(known.contains) else {
                throw PipelineError(
                    "\(path): the gold model does not know the policy's tokens; both must share a tokenizer"
                )
            }
            return ResponseBatch.Row(prompt: prompts[index / perPrompt], response: sample.tokens)
        }
        return ResponseBatch.microBatches(rows, tokenBudget: 2048).flatMap { range in
            withoutGradients { model.rewards(ResponseBatch(Array(rows[range]))).doubles }
        }
    }
}
