import Foundation
import JSONText
import PocketWorld

/// One line of what `rto generate` writes.
struct SampledRow: Equatable {
    let prompt: String
    let completion: String
    /// The tokens of the completion, the end mark included where it was reached.
    let tokens: [Int]
    /// Whether it ended by itself instead of being cut at the length limit.
    let isFinished: Bool

    /// Reads a file of completions.
    ///
    /// - Throws: ``PipelineError`` where the file is missing or a line is not one of a completion.
    static func read(_ path: String) throws -> [SampledRow] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PipelineError("\(path): cannot be read; delete the directory it is in and start again")
        }
        return try data.split(separator: UInt8(ascii: "\n")).enumerated().map { index, line in
            guard let row = (try? JSON(parsing: [UInt8](line))).flatMap(SampledRow.init) else {
                throw PipelineError("\(path):\(index + 1): is no completion; delete the file and start again")
            }
            return row
        }
    }

    init(prompt: String, completion: String, tokens: [Int], isFinished: Bool) {
        self.prompt = prompt
        self.completion = completion
        self.tokens = tokens
        self.isFinished = isFinished
    }

    private init?(_ row: JSON) {
        guard let prompt = row["prompt"]?.string, let completion = row["completion"]?.string,
            let ids = row["completion_ids"]?.array?.map(\.integer), let reason = row["finish_reason"]?.string
        else { return nil }
        self.init(prompt: prompt, completion: completion, tokens: ids.compactMap(\.self), isFinished: reason == "stop")
    }
}

/// Judges each two consecutive responses, which answer the same prompt; two that say the same make no pair.
///
/// - Parameters:
///   - golds: the true rewards, about which the judge errs with Bradley and Terry's noise
///   - purpose: which of the seed's sequences of random numbers the judge errs by
func judgePairs(_ responses: [SampledRow], golds: [Double], seed: UInt64, purpose: String) -> [PreferencePair] {
    let judge = PreferenceJudge(sharpness: ChainPlan.sharpness)
    var random = WorldRandom(seed: seed, purpose: purpose)
    return stride(from: 0, to: responses.count - 1, by: 2).compactMap { index in
        judge.judge(
            prompt: responses[index].prompt,
            responses[index].completion,
            responses[index + 1].completion,
            golds: (golds[index], golds[index + 1]),
            using: &random
        )
    }
}
