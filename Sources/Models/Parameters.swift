import Foundation
import JSONText
import Safetensors
import Torch

/// A model's tensors under their Hugging Face names, in the order in which the model asked for them.
///
/// Of a model with an adapter, they are the adapter's, and the tensors below it are kept apart: what a store names is what is
/// trained.
public final class ParameterStore {
    /// The names, for example `model.layers.0.mlp.up_proj.weight`.
    public private(set) var names: [String] = []
    /// The tensors, in the order of the names.
    public private(set) var tensors: [Tensor] = []
    /// The frozen weights below an adapter; empty where there is none.
    private(set) var base: [(name: String, tensor: Tensor)] = []
    /// The paths of the layers that have an adapter.
    private(set) var adaptedLayers: [String] = []

    /// Weights that are held packed and are no tensors of this store.
    private var packedNames: [String] = []
    /// Where tensors come from until all are there: a checkpoint that stays open keeps its file in memory.
    private var source: (any ParameterSource)?
    let preparation: Preparation
    /// The adapter on the linear layers, if there is one.
    public let adapter: Adapter?

    /// An adapter of a model, and how its own tensors are held; the store's preparation is the base's.
    public struct Adapter {
        let settings: AdapterSettings
        /// The directory of the model below.
        let base: URL
        let preparation: Preparation
        /// What drops inputs in training.
        public var dropout: AdapterDropout?
    }

    /// How the tensors of a source are made ready.
    public struct Preparation: Sendable {
        /// The element type they are held in: float32 masters for training, the computing type for a frozen model.
        public var dtype: DType
        /// Whether gradients are collected.
        public var isTrainable: Bool
        /// Where they live.
        public var device: Device
        /// Whether linear layers hold their weights in the order in which sampling reads them, and in no other.
        public var isPacked = false

        /// Float32 masters that collect gradients.
        public static func trainable(on device: Device = .cpu) -> Preparation {
            Preparation(dtype: .float32, isTrainable: true, device: device)
        }

        /// A model that is only evaluated, held in the type it computes with.
        public static func frozen(_ dtype: DType = .float32, on device: Device = .cpu) -> Preparation {
            Preparation(dtype: dtype, isTrainable: false, device: device)
        }

        /// A model that only samples: few rows meet its weights many times.
        public static func sampling(_ dtype: DType = .float32, on device: Device = .cpu) -> Preparation {
            Preparation(dtype: dtype, isTrainable: false, device: device, isPacked: true)
        }
    }

    /// An empty store that will take tensors from a source.
    public convenience init(_ source: any ParameterSource, _ preparation: Preparation) {
        self.init(source, preparation, adapter: nil)
    }

    init(_ source: any ParameterSource, _ preparation: Preparation, adapter: Adapter?) {
        self.source = source
        self.preparation = preparation
        self.adapter = adapter
    }

    /// The scope from which a model builds itself.
    public var root: ParameterScope { ParameterScope(store: self, path: "") }

    /// Which tensors weight decay applies to: matrices, not norms and biases.
    public var decayed: [Bool] { tensors.map { $0.rank > 1 } }

    func parameter(_ name: String, _ shape: [Int], _ kind: ParameterKind) throws -> Tensor {
        let tensor = try prepared(name, shape, kind)
        if adapter != nil, !kind.isOfAdapter {
            base.append((name, tensor))
        } else {
            names.append(name)
            tensors.append(tensor)
        }
        return tensor
    }

    /// A weight, in its packed form only where the model is made for sampling and there is such a form.
    func weight(_ name: String, _ shape: [Int], _ kind: ParameterKind) throws -> LinearWeight {
        try packedWeight([name], [shape], kind).map(LinearWeight.packed)
            ?? .plain(parameter(name, shape, kind))
    }

    /// Weights of as many inputs each packed as one; nil unless the model is made for sampling and there is such a form.
    ///
    /// - Parameter gatedWidth: the outputs of gate and of up, where the weights are theirs and nothing is added to them: on the CPU
    ///   each begins a panel, and a checkpoint's matrix of both is cut
    func packedWeight(
        _ names: [String],
        _ shapes: [[Int]],
        gatedWidth: Int? = nil,
        _ kind: ParameterKind
    ) throws -> PackedWeight? {
        let isPossible = PackedWeight.exists(for: preparation.dtype)
        guard preparation.isPacked, isPossible else { return nil }
        packedNames += names
        let weights = try zip(names, shapes).map { try prepared($0, $1, kind) }
        guard let gatedWidth, preparation.device == .cpu else { return PackedWeight(weights) }
        let both =
            weights.count == 2
            ? weights
            : [0, 1].map { part in
                weights[0].narrowed(0, part * gatedWidth..<(part + 1) * gatedWidth)
            }
        return PackedWeight(both, startsPanels: true)
    }

    /// The adapter of the linear layer at a path, nil where it has none.
    func adapter(of layer: String, from input: Int, to output: Int) throws -> LowRankAdapter? {
        guard let adapter, adapter.settings.adapts(layer) else { return nil }
        let rank = adapter.settings.rank
        defer { adaptedLayers.append(layer) }
        return LowRankAdapter(
            down: try weight(layer + ".lora_A.weight", [rank, input], .adapterInput),
            up: try weight(layer + ".lora_B.weight", [output, rank], .adapterOutput),
            scale: adapter.settings.scale,
            dropout: adapter.dropout.map { ($0, adaptedLayers.count) }
        )
    }

    private func prepared(_ name: String, _ shape: [Int], _ kind: ParameterKind) throws -> Tensor {
        guard let source else { preconditionFailure("\(name) is asked for after the model was finished") }
        let raw = try source.tensor(name, shape: shape, kind: kind)
        let preparation = kind.isOfAdapter ? adapter?.preparation ?? preparation : preparation
        // A leaf of its own: the source's tensor collects no gradient. Storage is shared where nothing is converted.
        let tensor = raw.to(preparation.dtype).to(preparation.device).detached()
        if preparation.isTrainable { tensor.requiresGradient = true }
        return tensor
    }

    /// Says that the model has asked for all it needs, and lets go of the source.
    ///
    /// - Throws: `ModelError` naming tensors that the source holds and the model did not ask for, or adapted layers that the
    ///   model does not have.
    func finish() throws {
        try source?.finish(taken: Set(names + packedNames + base.map(\.name)))
        source = nil
        Memory.returnSpare()  // what it took to convert the weights
        for target in adapter?.settings.targets ?? [] {
            let one = AdapterSettings(rank: 1, alpha: 1, targets: [target])
            if !adaptedLayers.contains(where: one.adapts) {
                throw ModelError("adapter", "the model has no linear layer \"\(target)\"")
            }
        }
    }
}

/// What a parameter is, which decides how a fresh one is drawn.
public enum ParameterKind: Sendable {
    case matrix
    case bias
    case norm
    /// The output layer of a reward or value model, drawn from N(0, 1/(hidden + 1)).
    case head
    /// A of a low-rank adapter, drawn from U(−1/√inputs, 1/√inputs).
    case adapterInput
    /// B of a low-rank adapter, zero at first, so that a new adapter changes nothing.
    case adapterOutput

    /// Whether an adapter brings it, and is trained and saved with it: a head is no small change of another one.
    var isOfAdapter: Bool { self == .adapterInput || self == .adapterOutput || self == .head }
}

/// Where a model's tensors come from.
public protocol ParameterSource {
    /// The tensor of that name and shape, in any floating-point type.
    func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor
    /// Checks that nothing was left over.
    func finish(taken: Set<String>) throws
}

/// A place in the tree of names: `scope / "layers" / 0`.
public struct ParameterScope {
    let store: ParameterStore
    let path: String

    static func / (scope: ParameterScope, component: String) -> ParameterScope {
        ParameterScope(store: scope.store, path: scope.path.isEmpty ? component : scope.path + "." + component)
    }

    static func / (scope: ParameterScope, index: Int) -> ParameterScope { scope / String(index) }

    func parameter(_ name: String, _ shape: [Int], _ kind: ParameterKind) throws -> Tensor {
        try store.parameter((self / name).path, shape, kind)
    }

    /// The weight `[outputs, inputs]` of a linear layer, packed where the model is made for sampling.
    func weight(_ shape: [Int]) throws -> LinearWeight { try store.weight((self / "weight").path, shape, .matrix) }

    /// The weights of linear layers below this scope, packed as one where the model is made for sampling, else nil; see the store.
    func packedWeight(_ names: [String], _ shapes: [[Int]], gatedWidth: Int?) throws -> PackedWeight? {
        try store.packedWeight(names.map { (self / $0 / "weight").path }, shapes, gatedWidth: gatedWidth, .matrix)
    }

    /// Whether the linear layer of this scope has an adapter.
    var isAdapted: Bool { store.adapter?.settings.adapts(path) == true }

    /// The adapter of the linear layer of this scope, nil where it has none.
    func adapter(from input: Int, to output: Int) throws -> LowRankAdapter? {
        try store.adapter(of: path, from: input, to: output)
    }
}

/// Fresh weights: normal matrices, zero biases, norms that multiply by one.
public struct FreshParameters: ParameterSource {
    let deviation: Double
    let hiddenSize: Int
    let norm: Double
    let generator: Generator

    /// Weights of a new model, drawn from a seed.
    public init(_ configuration: ModelConfiguration, seed: UInt64) {
        deviation = configuration.initializerRange
        hiddenSize = configuration.hiddenSize
        norm = configuration.family.traits.isGemma ? 0 : 1
        generator = Generator(seed: seed)
    }

    /// A new tensor, drawn as its kind asks.
    public func tensor(_ name: String, shape: [Int], kind: ParameterKind) -> Tensor {
        switch kind {
        case .bias, .adapterOutput: return .zeros(shape)
        case .norm: return .full(shape, norm)
        case .matrix, .head:
            let tensor = Tensor.empty(shape)
            tensor.fillNormal(deviation: kind == .head ? 1 / Double(hiddenSize + 1) : deviation, generator)
            return tensor
        case .adapterInput:
            // Kaiming's uniform distribution with a = √5, as PEFT starts A.
            let tensor = Tensor.empty(shape)
            let bound = 1 / Double(shape[1]).squareRoot()
            tensor.fillUniform(-bound, bound, generator)
            return tensor
        }
    }

    /// Nothing can be left over.
    public func finish(taken: Set<String>) {}
}

/// Weights of a checkpoint: every tensor must be there, of the right shape, finite, and used.
public struct StoredParameters: ParameterSource {
    let checkpoint: SafetensorsCheckpoint
    /// What stands in front of every name in the file.
    let prefix: String
    /// Names that may be left over.
    let ignorable: (String) -> Bool
    /// Names under which the file holds a tensor that the model calls otherwise.
    let aliases: [String: String]
    /// Where a tensor comes from that the checkpoint need not hold.
    let substitute: ((String, [Int], ParameterKind) -> Tensor?)?

    init(
        _ checkpoint: SafetensorsCheckpoint,
        prefix: String = "",
        ignorable: @escaping (String) -> Bool = { _ in false },
        aliases: [String: String] = [:],
        substitute: ((String, [Int], ParameterKind) -> Tensor?)? = nil
    ) {
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.ignorable = ignorable
        self.aliases = aliases
        self.substitute = substitute
    }

    /// Where the tensors lie.
    var directory: URL { checkpoint.directory }

    private func stored(_ name: String) -> String { prefix + (aliases[name] ?? name) }

    /// A copy of the stored tensor.
    ///
    /// - Throws: `ModelError` where it is missing, misshapen, no weight or not finite.
    public func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
        let stored = self.stored(name)
        guard let (file, entry) = checkpoint.tensor(named: stored) else {
            if let tensor = substitute?(name, shape, kind) { return tensor }
            throw checkpoint.quantisation
                ?? ModelError(checkpoint.directory.path, "the checkpoint has no tensor \"\(stored)\" \(shape)")
        }
        guard entry.shape == shape else {
            throw checkpoint.quantisation
                ?? ModelError(
                    file.url.path,
                    "tensor \"\(stored)\" has shape \(entry.shape), config.json asks for \(shape)"
                )
        }
        guard let tensor = file.tensor(stored), tensor.dtype.isFloatingPoint else {
            throw ModelError(
                file.url.path,
                "tensor \"\(stored)\" is of type \(entry.dtype.rawValue), which is no weight's"
            )
        }
        guard tensor.isFinite().allTrue() else {
            throw ModelError(file.url.path, "tensor \"\(stored)\" holds NaN or infinite numbers")
        }
        return tensor
    }

    /// Checks that every stored tensor was taken.
    ///
    /// - Throws: `ModelError` naming one that was not.
    public func finish(taken: Set<String>) throws {
        let used = Set(taken.map(stored))
        // Old Llama checkpoints carry the rotary frequencies, which follow from the configuration.
        let extra = checkpoint.entries.map(\.name).filter {
            !used.contains($0) && !ignorable($0) && !$0.hasSuffix("rotary_emb.inv_freq")
        }
        guard let first = extra.first else { return }
        let others = extra.count > 1 ? " and \(extra.count - 1) more" : ""
        throw ModelError(
            checkpoint.directory.path,
            "the checkpoint holds tensor \"\(first)\"\(others), which config.json does not call for"
        )
    }
}
