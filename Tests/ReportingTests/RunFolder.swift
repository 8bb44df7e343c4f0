import Foundation
import JSONText
import Safetensors
import TestSupport

@testable import Reporting

/// A run directory with what a test puts into it.
final class RunFolder {
    let directory: TemporaryDirectory
    var path: String { directory.url.path }

    init(stage: String = "rto", settings: String = "seed: 1\nmodel: base\n", metrics: String? = nil) throws {
        directory = try TemporaryDirectory()
        try directory.write("recipe.yaml", "stage: \(stage)\nversions:\n  rto: \"0\"\n\(settings)")
        if let metrics { try directory.write("metrics.jsonl", metrics) }
    }

    func folder(_ name: String) throws {
        let url = directory.url.appending(path: name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// Writes samples, each with a prompt, a completion and a score.
    func samples(step: Int, _ samples: [(String, String, Double)]) throws {
        try folder("samples")
        let lines = samples.map { prompt, completion, score -> String in
            let row: JSON = [
                "prompt": .string(prompt), "completion": .string(completion), "score": .number(score), "reward": 0.25,
            ]
            return row.serialized() + "\n"
        }
        try directory.write("samples/step-\(step).jsonl", lines.joined())
    }

    /// Writes a rollout of two sequences: the ids 104 and 105 (`hi` of the tiny tokenizer) and the response, each.
    func rollout(
        step: Int,
        response: [Int],
        columns: [String: [Float]],
        offsets: [Int64]? = nil,
        leaving missing: String? = nil
    ) throws {
        try folder("rollouts")
        let sequence = ([104, 105] + response).map(Int64.init)
        let whole: [String: [Int64]] = [
            "tokens": sequence + sequence,
            "sequence_offsets": offsets ?? [0, Int64(sequence.count), Int64(2 * sequence.count)],
            "prompt_lengths": [2, 2],
            "finished": [1, 0],
        ]
        let kept = whole.filter { $0.key != missing }
        let writer = try SafetensorsWriter(
            url: directory.url.appending(path: "rollouts/step-\(step).safetensors"),
            tensors: kept.map { SafetensorsTensor(name: $0.key, dtype: .int64, shape: [$0.value.count]) }
                + columns.map { SafetensorsTensor(name: $0.key, dtype: .float32, shape: [$0.value.count]) }
        )
        for (name, values) in kept { try values.withUnsafeBytes { try writer.write($0, to: name) } }
        for (name, values) in columns { try values.withUnsafeBytes { try writer.write($0, to: name) } }
        try writer.finish()
    }

    /// Gives the run the tiny tokenizer.
    func tokenizer() throws { _ = try TinyTokenizer.make(in: directory) }

    /// The page of these runs, written at a moment that does not change.
    static func page(_ runs: [RunFolder]) throws -> String {
        let moment = Date(timeIntervalSince1970: 1_700_000_000)
        return try RunReport(paths: runs.map(\.path), version: "1", written: moment).html
    }
}
