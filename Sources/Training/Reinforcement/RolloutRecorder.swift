import Foundation
import JSONText
import Models
import Objectives
import Safetensors
import Tokenizers
import Torch

/// Writes what a run samples: readable samples always, everything of a rollout on request.
struct RolloutRecorder {
    let run: RunDirectory
    /// Turns ids into text; without one, samples hold ids.
    let tokenizer: Tokenizer?
    /// Samples of a rollout that are written.
    var sampleCount = 16

    /// Writes `rollouts/step-N.safetensors`.
    func record(_ rollout: Rollout, _ rows: [ResponseBatch.Row], _ scored: ScoredRollout, step: Int) throws {
        try RecordedRollouts.write(rollout, rows, scored, to: run.rolloutsURL(step: step))
    }

    /// Writes `samples/step-N.jsonl`: the first rows with their scores and rewards.
    func show(_ rows: [ResponseBatch.Row], _ scored: ScoredRollout, step: Int) throws {
        let scores = scored.scores.doubles
        let rewards = scored.rewards.doubles
        let ragged = RaggedRows(lengths: rows.map(\.response.count))
        let lines = rows.prefix(sampleCount).enumerated().map { index, row in
            var object = JSONObject()
            if let tokenizer {
                object["prompt"] = .string(tokenizer.decode(row.prompt, skipSpecialTokens: false))
                object["completion"] = .string(tokenizer.decode(row.response, skipSpecialTokens: false))
            } else {
                object["prompt_ids"] = .array(row.prompt.map { .integer($0) })
                object["completion_ids"] = .array(row.response.map { .integer($0) })
            }
            object["score"] = .number(scores[index])
            object["reward"] = .number(rewards[ragged.range(index)].reduce(0, +))
            return JSON.object(object).serialized() + "\n"
        }
        try AtomicFile.write(Array(lines.joined().utf8), to: run.samplesURL(step: step))
    }
}
