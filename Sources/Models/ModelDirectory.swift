import Foundation
import Hub
import JSONText
import Safetensors
import Torch

extension LanguageModel {
    /// Loads a causal language model from a Hugging Face directory, or from one that holds a PEFT adapter of another.
    ///
    /// - Parameters:
    ///   - base: the base model, in the place of the one that an adapter names
    ///   - adapter: a new adapter to train; one that the directory holds is trained as it is
    ///   - shared: where frozen weights are held that other models use too
    /// - Throws: `ModelError` or `SafetensorsError` for anything that is missing, extra, misshapen or not finite.
    public static func load(
        _ directory: URL,
        base: URL? = nil,
        _ preparation: ParameterStore.Preparation,
        precision: DType = .float32,
        adapter: AdapterStart = AdapterStart(),
        sharing shared: SharedWeights? = nil
    ) throws -> LanguageModel {
        let place = try ModelPlace(directory, base: base)
        let configuration = try ModelConfiguration(place)
        if configuration.isRewardModel {
            throw ModelError(
                directory.path,
                "is a reward model; a language model with a vocabulary head is wanted here"
            )
        }
        let checkpoint = try SafetensorsCheckpoint(directory: place.base)
        let isTied = configuration.tiesEmbeddings
        if isTied { try checkTiedHead(checkpoint) }
        let source = StoredParameters(checkpoint, ignorable: { isTied && $0 == "lm_head.weight" })
        let store = try ParameterStore.loading(
            place,
            source,
            configuration,
            preparation,
            precision: precision,
            start: adapter,
            sharing: shared
        )
        return try LanguageModel(configuration, store, precision: precision)
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

    /// A model of a shape whose speed is measured: its numbers are random, and the same from block to block.
    public static func measured(
        _ configuration: ModelConfiguration,
        _ preparation: ParameterStore.Preparation,
        precision: DType
    ) throws -> LanguageModel {
        let source = RepeatedParameters(configuration, seed: 1, device: preparation.device)
        return try LanguageModel(configuration, ParameterStore(source, preparation), precision: precision)
    }

    /// The weights as they are now, ready to sample; a model that was loaded for sampling is that already.
    public func samplingView() throws -> LanguageModel {
        if parameters.preparation.isPacked { return self }
        return try LanguageModel(configuration, parameters.packed(precision), precision: precision)
    }

    /// The model with its adapter switched off: the base, whose tensors it shares.
    public func withoutAdapter() throws -> LanguageModel {
        try LanguageModel(configuration, parameters.withoutAdapter(precision), precision: precision)
    }

    /// The model in float32 with its adapter added to the weights.
    public func merged() throws -> LanguageModel {
        try LanguageModel(configuration, parameters.merged(), precision: .float32)
    }

    /// Writes `config.json` and the weights, in the given type; of a model with an adapter, the adapter alone, in float32.
    public func save(to directory: URL, dtype: DType) throws {
        if let adapter = parameters.adapter { return try parameters.save(adapter, to: directory) }
        var members = configuration.source
        members["architectures"] = .array([.string(configuration.family.causalArchitecture)])
        try saveModel(parameters, members, to: directory, dtype: dtype)
    }
}

extension ScoreModel {
    /// Loads a reward model, in either layout, or starts one from a language model; an adapter brings or starts a head too.
    ///
    /// - Parameters:
    ///   - base: the base model, in the place of the one that an adapter names
    ///   - freshHead: the seed of a new head where the directory holds a language model; nil refuses it.
    ///   - adapter: a new adapter to train; one that the directory holds is trained as it is
    ///   - shared: where frozen weights are held that other models use too
    /// - Throws: `ModelError` or `SafetensorsError` for anything that is missing, extra, misshapen or not finite.
    public static func load(
        _ directory: URL,
        base: URL? = nil,
        _ preparation: ParameterStore.Preparation,
        precision: DType = .float32,
        freshHead: UInt64? = nil,
        adapter: AdapterStart = AdapterStart(),
        sharing shared: SharedWeights? = nil
    ) throws -> ScoreModel {
        let place = try ModelPlace(directory, base: base)
        let configuration = try ModelConfiguration(place)
        let source = try weights(place, configuration, freshHead: freshHead)
        let store = try ParameterStore.loading(
            place,
            source,
            configuration,
            preparation,
            precision: precision,
            start: adapter,
            sharing: shared
        )
        return try ScoreModel(configuration, store, precision: precision)
    }

    /// The weights below an adapter, or all of them, with a head from wherever there is one.
    private static func weights(
        _ place: ModelPlace,
        _ configuration: ModelConfiguration,
        freshHead: UInt64?
    ) throws -> StoredParameters {
        let checkpoint = try SafetensorsCheckpoint(directory: place.base)
        let whole = StoredParameters(checkpoint, aliases: headAlias(in: checkpoint))
        if whole.holdsHead { return whole }
        let adapterHoldsHead = try place.adapterParameters()?.holdsHead == true
        let seed = configuration.isRewardModel ? nil : freshHead
        guard adapterHoldsHead || seed != nil else {
            let names = [headName] + otherHeadNames
            throw ModelError(
                place.directory.path,
                "is no reward model: the checkpoint has none of \(names.joined(separator: ", "))"
            )
        }
        let fresh = seed.map { FreshParameters(configuration, seed: $0) }
        return StoredParameters(checkpoint, ignorable: { $0 == "lm_head.weight" }) { name, shape, kind in
            kind == .head ? fresh?.tensor(name, shape: shape, kind: kind) : nil
        }
    }

    /// Under which of its names a checkpoint holds the head.
    static func headAlias(in checkpoint: SafetensorsCheckpoint, prefix: String = "") -> [String: String] {
        let stored = otherHeadNames.first { checkpoint.tensor(named: prefix + $0) != nil }
        return stored.map { [headName: $0] } ?? [:]
    }

    /// Writes `config.json`, in the layout of `AutoModelForSequenceClassification`, and the weights; of a model with an adapter,
    /// the adapter and the head, in float32.
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
        guard let adapter = parameters.adapter else {
            return try saveModel(parameters, members, to: directory, dtype: dtype)
        }
        // The base's file cannot carry what makes this a reward model.
        try parameters.save(adapter, to: directory) {
            try saveConfiguration(members, to: directory, dtype: .float32)
        }
    }

    /// The model in float32 with its adapter added to the weights.
    public func merged() throws -> ScoreModel {
        try ScoreModel(configuration, parameters.merged(), precision: .float32)
    }
}

private func saveModel(_ store: ParameterStore, _ members: JSONObject, to directory: URL, dtype: DType) throws {
    let tensors = zip(store.names, store.tensors).map { name, tensor in
        (SafetensorsTensor(name: name, dtype: dtype.stored, shape: tensor.shape), tensor)
    }
    let writer = try SafetensorsCheckpointWriter(directory: directory, tensors: tensors.map(\.0))
    for (layout, tensor) in tensors {
        try tensor.detached().to(dtype).bytes().withUnsafeBytes { try writer.write($0, to: layout.name) }
    }
    try writer.finish()
    try saveConfiguration(members, to: directory, dtype: dtype)
}

private func saveConfiguration(_ members: JSONObject, to directory: URL, dtype: DType) throws {
    var members = members
    let key = members["dtype"] == nil ? "torch_dtype" : "dtype"
    members[key] = .string("\(dtype)")
    let text = JSON.object(members).serialized(pretty: true) + "\n"
    try AtomicFile.write(Array(text.utf8), to: directory.appending(path: "config.json"))
}

/// The files beside the weights that make a directory usable: tokenizer, chat template, generation settings.
public enum Companions {
    /// The file of a chat template, which goes before the one in `tokenizer_config.json`.
    public static let chatTemplate = ModelFileNames.chatTemplate
    /// Files that make a tokenizer.
    public static let tokenizer = ModelFileNames.tokenizer
    /// Files that say how to generate.
    public static let generation = ModelFileNames.generation

    /// Copies those files that exist, each atomically; what an adapter's directory lacks comes from its base.
    public static func copy(_ names: [String], from source: URL, to destination: URL) throws {
        guard source.standardizedFileURL != destination.standardizedFileURL else { return }
        try copy(names, from: ModelPlace(source), to: destination)
    }

    /// The same for a directory that was looked at.
    public static func copy(_ names: [String], from place: ModelPlace, to destination: URL) throws {
        let ranks = names.contains("tokenizer.json") ? place.files(ending: ".tiktoken") : []
        for name in names + ranks {
            guard let data = place.file(name).flatMap({ FileManager.default.contents(atPath: $0.path) }) else {
                continue
            }
            try AtomicFile.write(data, to: destination.appending(path: name))
        }
    }

    /// Ids that end a sequence by `generation_config.json`, none where it is silent.
    public static func endOfSequence(in directory: URL) throws -> [Int] {
        guard let url = try ModelPlace(directory).file("generation_config.json"),
            let data = FileManager.default.contents(atPath: url.path)
        else { return [] }
        do {
            let json = try JSON(parsing: [UInt8](data))
            guard let object = json.object else { throw ModelError(url.path, "is \(json.kind), not an object") }
            return try ConfigurationFields(object, path: url.path).ids("eos_token_id")
        } catch let error as JSONError {
            throw ModelError(url.path, "\(error)")
        }
    }
}
