import Configuration
import Foundation
import JSONText
import Models
import Torch

/// Adds an adapter to its base, writes the whole model, and says how far what was written is from base and adapter.
public func merge(_ configuration: MergeConfiguration) throws {
    let device = try chosenDevice(configuration.compute)
    let directory = URL(filePath: configuration.model)
    let place = try ModelPlace(directory, base: configuration.base.map { URL(filePath: $0) })
    guard place.isAdapter else {
        throw TrainingError(
            "\(configuration.model): holds no adapter (no adapter_config.json), there is nothing to merge"
        )
    }
    let output = URL(filePath: configuration.output)
    let precision = configuration.compute.precision.dtype
    let shape = try ModelConfiguration(place)
    let probe = MergeProbe(vocabularySize: shape.vocabularySize)
    let (before, write) = try mergedModel(place, shape, device, probe)
    try makeEmptyDirectory(output)
    try Companions.copy(Companions.tokenizer + Companions.generation, from: place, to: output)
    try write(output, precision)
    let after = try probe.numbers(output, isRewardModel: shape.isRewardModel, device)
    let difference = (after - before).magnitude().max().scalar
    let largest = before.magnitude().max().scalar
    try report(configuration, place, probe, difference: difference, largest: largest)
}

/// What base and adapter say of the probe, and what writes the merged model.
private func mergedModel(
    _ place: ModelPlace,
    _ shape: ModelConfiguration,
    _ device: Device,
    _ probe: MergeProbe
) throws -> (before: Tensor, write: (URL, DType) throws -> Void) {
    if shape.isRewardModel {
        let model = try ScoreModel.load(place.directory, base: place.base, .frozen(on: device))
        let merged = try model.merged()
        return (probe.numbers(model), { try merged.save(to: $0, dtype: $1) })
    }
    let model = try LanguageModel.load(place.directory, base: place.base, .frozen(on: device))
    let merged = try model.merged()
    return (probe.numbers(model), { try merged.save(to: $0, dtype: $1) })
}

/// The input on which a merged model is compared: sixteen ids spread evenly over the vocabulary, the first and last included.
private struct MergeProbe {
    let ids: [Int]

    init(vocabularySize: Int) { ids = (0..<16).map { $0 * (vocabularySize - 1) / 15 } }

    private var batch: TokenBatch { TokenBatch([ids]) }

    /// Logits of all positions.
    func numbers(_ model: LanguageModel) -> Tensor { withoutGradients { model.logits(batch) } }

    /// Scores of all positions.
    func numbers(_ model: ScoreModel) -> Tensor { withoutGradients { model.tokenScores(batch) } }

    /// The same of a written model, in float32.
    func numbers(_ directory: URL, isRewardModel: Bool, _ device: Device) throws -> Tensor {
        isRewardModel
            ? numbers(try ScoreModel.load(directory, .frozen(on: device)))
            : numbers(try LanguageModel.load(directory, .frozen(on: device)))
    }
}

private func makeEmptyDirectory(_ url: URL) throws {
    if let entries = try? FileManager.default.contentsOfDirectory(atPath: url.path) {
        guard entries.isEmpty else {
            throw TrainingError("\(url.relativePath): is not empty; choose another --output or empty it first")
        }
        return
    }
    if FileManager.default.fileExists(atPath: url.path) {
        throw TrainingError("\(url.relativePath): is a file; --output names a directory")
    }
    try makeDirectory(url)
}

private func report(
    _ configuration: MergeConfiguration,
    _ place: ModelPlace,
    _ probe: MergeProbe,
    difference: Double,
    largest: Double
) throws {
    let (model, base) = (reportedName(configuration.model), reportedName(place.base.path))
    guard configuration.printsJSON else {
        let precision = configuration.compute.precision.rawValue
        return try writeToStandardOutput(
            "\(configuration.output): \(base) with the adapter \(model) merged, in \(precision)\n"
                + "largest difference \(difference) of outputs up to \(largest), over the ids \(probe.ids)\n"
        )
    }
    let object: JSON = [
        "model": .string(model), "base": .string(base),
        "output": .string(configuration.output),
        "precision": .string(configuration.compute.precision.rawValue),
        "probe_ids": .array(probe.ids.map(JSON.integer)), "largest_difference": .number(difference),
        "largest_output": .number(largest),
    ]
    try writeToStandardOutput(object.serialized() + "\n")
}
