import Foundation
import JSONText
import Safetensors
import Torch

extension LanguageModel {
    /// Loads a causal language model from a Hugging Face directory.
    ///
    /// - Throws: `ModelError` or `SafetensorsError` for anything that is missing, extra, misshapen or not finite.
    public static func load(
        _ directory: URL,
        _ preparation: ParameterStore.Preparation,
        precision: DType = .float32
    ) throws -> LanguageModel {
        let configuration = try ModelConfiguration(directory: directory)
        if configuration.isRewardModel {
            throw ModelError(
                directory.path,
                "is a reward model; a language model with a vocabulary head is wanted here"
            )
        }
        let checkpoint = try SafetensorsCheckpoint(directory: directory)
        let isTied = configuration.tiesEmbeddings
        if isTied { try checkTiedHead(checkpoint) }
        let source = StoredParameters(checkpoint, ignorable: { isTied && $0 == "lm_head.weight" })
        return try LanguageModel(configuration, ParameterStore(source, preparation), precision: precision)
    }

    /// A head that is stored although it is tied must be the embedding.
    private static func checkTiedHead(_ checkpoint: SafetensorsCheckpoint) throws {
        guard let head = checkpoint.tensor(named: "lm_head.weight"),
            let embedding = checkpoint.tensor(named: "model.embed_tokens.weight")
        else { return }
        let isSame = head.file.withUnsafeBytes(of: head.entry) { first in
            embedding.file.withUnsafeBytes(of: embedding.entry) { first.elementsEqual($0) }
        }
        if !isSame {
            throw ModelError(
                checkpoint.directory.path,
                "config.json ties the head to the embedding, but the checkpoint holds another \"lm_head.weight\""
            )
        }
    }

    /// A new model with random weights.
    public static func fresh(
        _ configuration: ModelConfiguration,
        seed: UInt64,
        _ preparation: ParameterStore.Preparation = .frozen(),
        precision: DType = .float32
    ) throws -> LanguageModel {
        let store = ParameterStore(FreshParameters(configuration, seed: seed), preparation)
        return try LanguageModel(configuration, store, precision: precision)
    }

    /// The weights as they are now, ready to sample; a model that was loaded for sampling is that already.
    public func samplingView() throws -> LanguageModel {
        if parameters.preparation.isPacked { return self }
        let store = ParameterStore(SharedParameters(store: parameters), .sampling(precision, on: device))
        return try LanguageModel(configuration, store, precision: precision)
    }

    /// Writes `config.json` and the weights, in the given type.
    public func save(to directory: URL, dtype: DType) throws {
        var members = configuration.source
        members["architectures"] = .array([.string(configuration.family.causalArchitecture)])
        try saveModel(parameters, members, to: directory, dtype: dtype)
    }
}

extension ScoreModel {
    /// Loads a reward model, in either layout, or starts one from a language model.
    ///
    /// - Parameter freshHead: the seed of a new head where the directory holds a language model; nil refuses it.
    /// - Throws: `ModelError` or `SafetensorsError` for anything that is missing, extra, misshapen or not finite.
    public static func load(
        _ directory: URL,
        _ preparation: ParameterStore.Preparation,
        precision: DType = .float32,
        freshHead: UInt64? = nil
    ) throws -> ScoreModel {
        let configuration = try ModelConfiguration(directory: directory)
        let checkpoint = try SafetensorsCheckpoint(directory: directory)
        let names = [headName] + otherHeadNames
        let stored = names.first { checkpoint.tensor(named: $0) != nil }
        let source: StoredParameters
        if let stored {
            source = StoredParameters(checkpoint, aliases: [headName: stored])
        } else if let freshHead, !configuration.isRewardModel {
            let fresh = FreshParameters(configuration, seed: freshHead)
            source = StoredParameters(checkpoint, ignorable: { $0 == "lm_head.weight" }) { name, shape, kind in
                kind == .head ? fresh.tensor(name, shape: shape, kind: kind) : nil
            }
        } else {
            throw ModelError(
                directory.path,
                "is no reward model: the checkpoint has none of \(names.joined(separator: ", "))"
            )
        }
        return try ScoreModel(configuration, ParameterStore(source, preparation), precision: precision)
    }

    /// Writes `config.json`, in the layout of `AutoModelForSequenceClassification`, and the weights.
    ///
    /// - Parameter statistics: mean and deviation of the rewards, for later normalisation; nil keeps what was read.
    public func save(to directory: URL, dtype: DType, statistics: (mean: Double, deviation: Double)? = nil) throws {
        var members = configuration.source
        members["architectures"] = .array([.string(configuration.family.rewardArchitecture)])
        members["id2label"] = ["0": "LABEL_0"]
        members["label2id"] = ["LABEL_0": 0]
        if let statistics {
            members["mean"] = .number(statistics.mean)
            members["std"] = .number(statistics.deviation)
        }
        try saveModel(parameters, members, to: directory, dtype: dtype)
    }
}

/// The tensors of another store, as they are.
private struct SharedParameters: ParameterSource {
    let tensors: [String: Tensor]

    init(store: ParameterStore) {
        tensors = Dictionary(uniqueKeysWithValues: zip(store.names, store.tensors))
    }

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        guard let tensor = tensors[name] else { fatalError("a view asks for \(name), which the model lacks") }
        return tensor
    }

    func finish(taken: Set<String>) {}
}

private func saveModel(_ store: ParameterStore, _ members: JSONObject, to directory: URL, dtype: DType) throws {
    var members = members
    let key = members["dtype"] == nil ? "torch_dtype" : "dtype"
    members[key] = .string("\(dtype)")
    let tensors = zip(store.names, store.tensors).map { name, tensor in
        (SafetensorsTensor(name: name, dtype: dtype.stored, shape: tensor.shape), tensor)
    }
    let writer = try SafetensorsCheckpointWriter(directory: directory, tensors: tensors.map(\.0))
    for (layout, tensor) in tensors {
        try tensor.detached().to(dtype).bytes().withUnsafeBytes { try writer.write($0, to: layout.name) }
    }
    try writer.finish()
    let text = JSON.object(members).serialized(pretty: true) + "\n"
    try AtomicFile.write(Array(text.utf8), to: directory.appending(path: "config.json"))
}

/// The files beside the weights that make a directory usable: tokenizer, chat template, generation settings.
public enum Companions {
    /// The file of a chat template, which goes before the one in `tokenizer_config.json`.
    public static let chatTemplate = "chat_template.jinja"
    /// Files that make a tokenizer.
    public static let tokenizer = [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", chatTemplate,
    ]
    /// Files that say how to generate.
    public static let generation = ["generation_config.json"]

    /// Copies those files that exist, each atomically.
    public static func copy(_ names: [String], from source: URL, to destination: URL) throws {
        guard source.standardizedFileURL != destination.standardizedFileURL else { return }
        for name in names {
            guard let data = FileManager.default.contents(atPath: source.appending(path: name).path) else { continue }
            try AtomicFile.write(data, to: destination.appending(path: name))
        }
    }

    /// Ids that end a sequence by `generation_config.json`, none where it is silent.
    public static func endOfSequence(in directory: URL) throws -> [Int] {
        let url = directory.appending(path: "generation_config.json")
        guard let data = FileManager.default.contents(atPath: url.path) else { return [] }
        do {
            let json = try JSON(parsing: [UInt8](data))
            guard let object = json.object else { throw ModelError(url.path, "is \(json.kind), not an object") }
            return try ConfigurationFields(object, path: url.path).ids("eos_token_id")
        } catch let error as JSONError {
            throw ModelError(url.path, "\(error)")
        }
    }
}
