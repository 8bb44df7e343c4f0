import Foundation
import JSONText
import TestSupport
import Torch

@testable import Models

/// Adapters on a tiny model in a directory, in memory or in a directory whose files a test may spoil.
enum TinyAdapter {
    static let settings = AdapterSettings(rank: 3, alpha: 5)

    /// A model with a new adapter on the base in a directory.
    static func fresh(
        on base: URL,
        _ settings: AdapterSettings = settings,
        precision: DType = .float32,
        seed: UInt64 = 7
    ) throws -> LanguageModel {
        let start = AdapterStart(settings, seed: seed)
        return try LanguageModel.load(base, .trainable(), precision: precision, adapter: start)
    }

    /// The same with B drawn at random, as if it had been trained.
    static func trained(
        on base: URL,
        _ settings: AdapterSettings = settings,
        precision: DType = .float32
    ) throws -> LanguageModel {
        let model = try fresh(on: base, settings, precision: precision)
        randomize(model.parameters)
        return model
    }

    static func randomize(_ parameters: ParameterStore) {
        let generator = Generator(seed: 5)
        withoutGradients {
            for tensor in parameters.tensors { tensor.fillNormal(deviation: 0.3, generator) }
        }
    }

    /// The directory of an adapter, with members of its configuration changed.
    static func directory(_ model: LanguageModel, _ changes: [String: JSON] = [:]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try model.save(to: directory.url, dtype: .float32)
        let url = directory.url.appending(path: "adapter_config.json")
        var members = try JSON(parsing: [UInt8](Data(contentsOf: url))).object ?? JSONObject()
        for (key, value) in changes { members[key] = value }
        try directory.write("adapter_config.json", JSON.object(members).serialized())
        return directory
    }

    static func logits(_ model: LanguageModel) -> Tensor {
        withoutGradients { model.logits(TokenBatch([RecordedAdapters.tokens, [4, 4, 12]])) }
    }

    static func batch() -> ResponseBatch {
        let ids = RecordedAdapters.tokens
        return ResponseBatch([.init(prompt: [ids[0]], response: Array(ids.dropFirst()))])
    }
}
