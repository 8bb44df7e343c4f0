import Foundation
import JSONText
import Safetensors
import Torch

/// The directory of a run, as a test looks at it.
struct TrainedRun {
    let url: URL

    var path: String { url.path }

    private static let finalFiles = [
        "config.json", "ema", "model.safetensors", "adapter_config.json", "adapter_model.safetensors",
    ]

    /// The final weights, or the final adapter, byte for byte.
    var modelBytes: Data {
        get throws {
            let name = try fileNames.first { $0.hasSuffix("model.safetensors") } ?? "model.safetensors"
            return try Data(contentsOf: url.appending(path: name))
        }
    }

    /// The numbers of each recorded step; what is null is left out.
    var metrics: [[String: Double]] {
        get throws {
            try lines("metrics.jsonl").map { line in
                let members = line.object?.members ?? []
                return Dictionary(
                    uniqueKeysWithValues: members.compactMap { name, value in value.number.map { (name, $0) } }
                )
            }
        }
    }

    /// The same without what depends on the clock and on the machine.
    var repeatableMetrics: [[String: Double]] {
        get throws {
            let passing: Set = ["tokens_per_second", "step_seconds", "peak_memory_bytes"]
            return try metrics.map { step in
                step.filter { !passing.contains($0.key) && !$0.key.hasPrefix("timing/") }
            }
        }
    }

    /// The objects of a file with one in each line.
    func lines(_ name: String) throws -> [JSON] {
        try String(contentsOf: url.appending(path: name), encoding: .utf8).split(separator: "\n").map {
            try JSON(parsing: Array($0.utf8))
        }
    }

    /// The tensors of a file.
    func tensors(_ name: String) throws -> [String: Tensor] {
        let file = try SafetensorsFile(url: url.appending(path: name))
        return Dictionary(
            uniqueKeysWithValues: file.entries.compactMap { entry in file.tensor(entry.name).map { (entry.name, $0) } }
        )
    }

    /// The names of what the directory holds, in order.
    var fileNames: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

    /// A copy as a run leaves it that is killed after the checkpoint of a step: nothing of the end is there, but the lines of
    /// later steps are, and files half written.
    func killed(after step: Int, as name: String) throws -> TrainedRun {
        let files = FileManager.default
        let copy = url.deletingLastPathComponent().appending(path: name)
        try files.copyItem(at: url, to: copy)
        for entry in try files.contentsOfDirectory(atPath: copy.path) {
            let isLater = entry.hasPrefix("checkpoint-") && (Int(entry.dropFirst("checkpoint-".count)) ?? 0) > step
            if isLater || Self.finalFiles.contains(entry) {
                try files.removeItem(at: copy.appending(path: entry))
            }
        }
        try Data("half".utf8).write(to: copy.appending(path: ".model.safetensors.x.partial"))
        try files.createDirectory(
            at: copy.appending(path: ".checkpoint-\(step + 1).partial"),
            withIntermediateDirectories: false
        )
        let metrics = try FileHandle(forWritingTo: copy.appending(path: "metrics.jsonl"))
        try metrics.seekToEnd()
        try metrics.write(contentsOf: Data("{\"step\": 9".utf8))
        return TrainedRun(url: copy)
    }
}

/// The largest difference of two runs' weights.
func largestDifference(_ first: TrainedRun, _ second: TrainedRun, _ file: String = "model.safetensors") throws -> Double
{
    let (first, second) = (try first.tensors(file), try second.tensors(file))
    guard first.keys == second.keys else { return .infinity }
    return first.map { name, tensor in
        second[name].map { (tensor.to(.float64) - $0.to(.float64)).magnitude().max().scalar } ?? .infinity
    }.max() ?? 0
}
