import Foundation
import Safetensors
import Torch

/// How a model that is loaded gets an adapter that is trained.
public struct AdapterStart {
    /// The shape of a new adapter; `nil` trains the adapter that the directory holds, or else all weights.
    public var settings: AdapterSettings?
    /// What the new adapter and the dropout of training are drawn from.
    public var seed: UInt64

    /// A new adapter of a shape, or no new one.
    public init(_ settings: AdapterSettings? = nil, seed: UInt64 = 0) {
        self.settings = settings
        self.seed = seed
    }

    static let masks: UInt64 = 1
    static let factors: UInt64 = 2
}

/// An adapter's tensors from one source, all below them from another.
private struct LayeredParameters: ParameterSource {
    let base: any ParameterSource
    let adapter: any ParameterSource
    let adapterHoldsHead: Bool

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        let isOfAdapter = kind == .head ? adapterHoldsHead : kind.isOfAdapter
        return try (isOfAdapter ? adapter : base).tensor(name, shape: shape, kind: kind)
    }

    func finish(taken: Set<String>) throws {
        try base.finish(taken: taken)
        try adapter.finish(taken: taken)
    }
}

extension ParameterStore {
    /// The store of a model in a directory: whole, with the adapter that lies there, or with a new one.
    ///
    /// With an adapter, `preparation` is that of the adapter, and the base is held frozen in the computing type.
    static func loading(
        _ place: ModelPlace,
        _ source: StoredParameters,
        _ configuration: ModelConfiguration,
        _ preparation: Preparation,
        precision: DType,
        start: AdapterStart,
        sharing shared: SharedWeights?
    ) throws -> ParameterStore {
        let settings = place.adapter?.settings ?? start.settings
        var below = preparation
        if settings != nil, preparation.isTrainable { below = .frozen(precision, on: preparation.device) }
        let isShared = !below.isTrainable && !below.isPacked
        let base = isShared ? shared?.source(source, below) ?? source : source
        guard let settings else { return ParameterStore(base, preparation) }
        let drops = preparation.isTrainable && settings.dropout > 0
        let adapter = Adapter(
            settings: settings,
            base: place.base,
            preparation: preparation,
            dropout: drops
                ? AdapterDropout(
                    probability: settings.dropout,
                    seed: RandomStream.seed(start.seed, AdapterStart.masks)
                ) : nil
        )
        let own = try place.adapterParameters()
        let fresh = FreshParameters(configuration, seed: RandomStream.seed(start.seed, AdapterStart.factors))
        let layers = LayeredParameters(
            base: base,
            adapter: own ?? fresh,
            adapterHoldsHead: own?.holdsHead == true
        )
        return ParameterStore(layers, below, adapter: adapter)
    }

    /// The store without its adapter: the same tensors, frozen.
    func withoutAdapter(_ dtype: DType) -> ParameterStore {
        ParameterStore(SharedParameters(store: self), .frozen(dtype, on: preparation.device))
    }

    /// The store as sampling reads it.
    func packed(_ dtype: DType) -> ParameterStore {
        let sampling = Preparation.sampling(dtype, on: preparation.device)
        let adapter = adapter.map { Adapter(settings: $0.settings, base: $0.base, preparation: sampling) }
        return ParameterStore(SharedParameters(store: self), sampling, adapter: adapter)
    }

    /// The store with s·B·A added to each adapted weight, in float32.
    func merged() -> ParameterStore {
        ParameterStore(
            MergedParameters(weights: SharedParameters(store: self), scale: adapter?.settings.scale ?? 0),
            .frozen()
        )
    }

    /// Writes the adapter as PEFT does: its weights, what else belongs to it, and `adapter_config.json` last.
    ///
    /// - Parameter adapter: the adapter of this store
    func save(_ adapter: Adapter, to directory: URL, andBeforeTheEnd body: () throws -> Void = {}) throws {
        try writeTensors(
            zip(names, tensors).map { (AdapterFile.prefix + $0, $1.detached().to(.float32)) },
            to: directory.appending(path: AdapterFile.stem + ".safetensors")
        )
        try body()
        let leaves = adaptedLayers.compactMap { $0.split(separator: ".").last.map(String.init) }
        let text = AdapterFile.text(
            adapter.settings,
            base: adapter.base,
            layers: (AdapterSettings.layers + AdapterSettings.fusedLayers).filter(leaves.contains),
            savesHead: names.contains(ScoreModel.headName)
        )
        try AtomicFile.write(Array(text.utf8), to: directory.appending(path: AdapterFile.name))
    }
}

extension ModelPlace {
    /// The tensors of the adapter, nil where there is none.
    func adapterParameters() throws -> StoredParameters? {
        guard isAdapter else { return nil }
        let checkpoint = try SafetensorsCheckpoint(directory: directory, stem: AdapterFile.stem)
        return StoredParameters(
            checkpoint,
            prefix: AdapterFile.prefix,
            aliases: ScoreModel.headAlias(in: checkpoint, prefix: AdapterFile.prefix)
        )
    }
}

extension StoredParameters {
    /// Whether a reward model's head is among the tensors.
    var holdsHead: Bool {
        checkpoint.tensor(named: prefix + (aliases[ScoreModel.headName] ?? ScoreModel.headName)) != nil
    }
}

/// The tensors of another store, as they are.
struct SharedParameters: ParameterSource {
    let tensors: [String: Tensor]

    init(store: ParameterStore) {
        let own = zip(store.names, store.tensors).map { (name: $0, tensor: $1) }
        tensors = Dictionary(uniqueKeysWithValues: (store.base + own).map { ($0.name, $0.tensor) })
    }

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        guard let tensor = tensors[name] else { fatalError("a view asks for \(name), which the model lacks") }
        return tensor
    }

    func finish(taken: Set<String>) {}
}

/// W + s·B·A in float32, where there are A and B.
private struct MergedParameters: ParameterSource {
    let weights: SharedParameters
    let scale: Double

    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        let weight = try weights.tensor(name, shape: shape, kind: kind).detached().to(.float32)
        let layer = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
        guard let down = weights.tensors[layer + ".lora_A.weight"], let up = weights.tensors[layer + ".lora_B.weight"]
        else { return weight }
        return withoutGradients { weight + up.to(.float32).matmul(down.to(.float32)) * scale }
    }

    func finish(taken: Set<String>) {}
}
