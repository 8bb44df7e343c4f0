/// A random model that `rto bench` makes in memory.
public enum BenchShape: String, SettingChoice {
    /// About 8 million parameters, the model of small experiments.
    case million8 = "8M"
    /// The sizes of SmolLM2-135M.
    case million135 = "135M"
    /// The sizes of Llama 3 8B.
    case billion8 = "8B"
    /// The sizes given beside it.
    case custom

    /// Its sizes; those of 8M, from which they are changed, for `custom`.
    public var sizes: ModelSizes {
        switch self {
        case .million8, .custom: .million8
        case .million135: .million135
        case .billion8: .billion8
        }
    }
}

/// The sizes of a Llama decoder.
public struct ModelSizes: Equatable, Sendable {
    /// The width of the residual stream.
    public var hidden: Int
    /// The width of the feed-forward layers.
    public var intermediate: Int
    /// The number of decoder layers.
    public var layers: Int
    /// The number of query heads.
    public var heads: Int
    /// The number of key-value heads.
    public var keyValueHeads: Int
    /// The number of rows of the embedding.
    public var vocabulary: Int
    /// Whether the head is the embedding.
    public var tiesEmbeddings = true

    static let million8 = ModelSizes(
        hidden: 256,
        intermediate: 688,
        layers: 8,
        heads: 8,
        keyValueHeads: 4,
        vocabulary: 8192
    )

    static let million135 = ModelSizes(
        hidden: 576,
        intermediate: 1536,
        layers: 30,
        heads: 9,
        keyValueHeads: 3,
        vocabulary: 49152
    )

    static let billion8 = ModelSizes(
        hidden: 4096,
        intermediate: 14336,
        layers: 32,
        heads: 32,
        keyValueHeads: 8,
        vocabulary: 128_256,
        tiesEmbeddings: false
    )

    /// Throws where no decoder has these sizes.
    func check() throws(ConfigurationError) {
        guard hidden % heads == 0, hidden / heads % 2 == 0 else {
            throw .combination("--hidden-size \(hidden) must be --heads \(heads) times an even number")
        }
        guard heads % keyValueHeads == 0 else {
            throw .combination("--heads \(heads) must be a multiple of --key-value-heads \(keyValueHeads)")
        }
    }
}
