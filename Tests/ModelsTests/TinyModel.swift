import Foundation
import JSONText
import Safetensors
import TestSupport
import Torch

@testable import Models

/// A model of two layers and 32 tokens, in memory or in a directory whose files a test may spoil.
enum TinyModel {
    static func configuration(_ changes: [String: JSON] = [:]) throws -> ModelConfiguration {
        var members = ModelConfigurationTests.tiny.object ?? JSONObject()
        members["initializer_range"] = 0.3
        for (key, value) in changes { members[key] = value }
        return try ModelConfiguration(.object(members), path: "config.json")
    }

    static func make(seed: UInt64 = 1, _ changes: [String: JSON] = [:]) throws -> LanguageModel {
        try LanguageModel.fresh(configuration(changes), seed: seed)
    }

    /// The tensors of the model in a directory, by name.
    static func tensors(_ directory: TemporaryDirectory) throws -> [String: Tensor] {
        let file = try SafetensorsFile(url: directory.url.appending(path: "model.safetensors"))
        return Dictionary(
            uniqueKeysWithValues: file.entries.compactMap { entry in file.tensor(entry.name).map { (entry.name, $0) } }
        )
    }

    /// Saves a model and changes its tensors.
    static func directory(
        _ model: LanguageModel,
        changing change: (inout [String: Tensor]) -> Void = { _ in }
    ) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try model.save(to: directory.url, dtype: .float32)
        var tensors = try tensors(directory)
        change(&tensors)
        try writeTensors(
            tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) },
            to: directory.url.appending(path: "model.safetensors")
        )
        return directory
    }
}
