import Torch

/// Frozen weights that models of one process have in common: a tensor of a directory is read and held once.
///
/// Policy and reference are one base with an adapter on and off; a critic starts from the reward model beside it.
public final class SharedWeights {
    private var tensors: [String: Tensor] = [:]

    /// Nothing is held yet.
    public init() {}

    /// A source whose tensors are the same for everybody who asks for them in the same type.
    func source(_ source: StoredParameters, _ preparation: ParameterStore.Preparation) -> any ParameterSource {
        Source(shared: self, source: source, preparation: preparation)
    }

    private struct Source: ParameterSource {
        let shared: SharedWeights
        let source: StoredParameters
        let preparation: ParameterStore.Preparation

        func tensor(_ name: String, shape: [Int], kind: ParameterKind) throws -> Tensor {
            // A head may be trained: it must be its model's own.
            if kind == .head { return try source.tensor(name, shape: shape, kind: kind) }
            let place = source.directory.resolvingSymlinksInPath().standardizedFileURL.path
            let key = "\(place) \(name) \(preparation.dtype)"
            if let tensor = shared.tensors[key] { return tensor }
            let tensor = try source.tensor(name, shape: shape, kind: kind).to(preparation.dtype).to(preparation.device)
            shared.tensors[key] = tensor
            return tensor
        }

        func finish(taken: Set<String>) throws { try source.finish(taken: taken) }
    }
}
