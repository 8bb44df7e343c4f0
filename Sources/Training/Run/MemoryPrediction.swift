import Configuration
import Models
import Torch

/// The most memory that a run takes at once, in bytes, computed before its first step.
///
/// What is there when models and data are loaded is measured; what the first steps add is computed from shapes.
struct MemoryPrediction: Equatable {
    /// Resident before the first step: program, libraries, weights, optimizer moments.
    var loaded: Int
    /// A gradient for each trained parameter.
    var gradients: Int
    /// What the forward pass keeps for the backward pass of the largest micro-batch.
    var activations: Int
    /// Logits of the head and their gradients, a chunk at a time.
    var logits: Int
    /// Keys and values of the sequences that are being sampled.
    var cache: Int

    /// The sum at the worst moment: sampling and updating do not happen at the same time.
    var peak: Int { loaded + max(gradients + activations + logits, cache + logits) }

    /// What the run takes beyond what is loaded even where this prediction is much too high.
    private var leastGrowth: Int { gradients + activations / 2 }

    /// A number of bytes for people.
    static func text(_ bytes: Int) -> String {
        let gigabytes = Double(bytes) / 1e9
        let scaled = gigabytes < 1 ? Double(bytes) / 1e6 : gigabytes
        let tenths = (scaled * 10).rounded() / 10
        return (gigabytes < 1 ? "\(Int(scaled.rounded())) MB" : "\(tenths) GB")
    }

    /// Refuses a run that cannot fit into what the machine has to give.
    ///
    /// - Parameter available: bytes this process may still take, beyond what it has, or nil where nobody knows
    func check(available: Int?) throws(TrainingError) {
        guard let available, leastGrowth > available else { return }
        throw TrainingError(
            "this run needs \(Self.text(peak)) of memory at its peak, of which \(Self.text(available + loaded)) are to be "
                + "had; lower --micro-batch-tokens, add --gradient-checkpointing or use --precision bfloat16",
            .usage
        )
    }
}

extension MemoryPrediction {
    /// The shape of a model that is trained and how it computes.
    struct Training {
        var configuration: ModelConfiguration
        var precision: DType
        var checkpointsGradients: Bool
        /// The adapter that is trained in the place of the weights.
        var adapter: AdapterSettings?
    }

    /// Bytes that the backward pass needs of one token in one layer.
    ///
    /// Each operator keeps its inputs where its derivative needs them; what two operators keep is there once. With the
    /// hidden width h, the query width q, the key width k and the inner width m:
    /// - each norm: its input, the normalised rows and the result, which is the next projections' input: 3h; of norms of
    ///   queries and keys as many, but for the result, which is counted with attention: 2q + 2k
    /// - attention: rotated queries and keys, values, and what it returns, the output projection's input: 2q + 2k; in the last layer that
    ///   input is a copy, of the rows whose states are wanted
    /// - feed-forward: gate, its silu, up, and their product, the down projection's input: 4m
    static func layerBytes(_ configuration: ModelConfiguration, _ precision: DType) -> Int {
        let attention = 2 * (configuration.queryWidth + configuration.keyWidth)
        let norms = 3 * configuration.normsPerLayer * configuration.hiddenSize
        let headNorms = configuration.queryKeyNormWidth > 0 ? attention : 0
        return (norms + headNorms + attention + 4 * configuration.intermediateSize) * precision.byteSize
    }

    /// Bytes that the backward pass of an adapter needs of one token in one layer: A·x of each adapted layer, and with dropout
    /// its mask and what the mask leaves of x.
    static func adapterBytes(_ model: Training) -> Int {
        guard let adapter = model.adapter else { return 0 }
        let widths = adapter.layers(model.configuration).map {
            adapter.rank + (adapter.dropout > 0 ? 2 * $0.inputs : 0)
        }
        return widths.reduce(0, +) * model.precision.byteSize / model.configuration.layerCount
    }

    /// Bytes that a model keeps between the passes over a micro-batch.
    static func activationBytes(_ model: Training, tokens: Int) -> Int {
        let configuration = model.configuration
        let layer = layerBytes(configuration, model.precision) + adapterBytes(model)
        // The last layer's gradients come while all that it kept is there: at most as much again as one layer keeps.
        let row = configuration.hiddenSize * model.precision.byteSize
        let kept =
            model.checkpointsGradients
            ? configuration.layerCount * row + 2 * layer : (configuration.layerCount + 1) * layer
        // Weights that are cast to the computing type are kept with the activations.
        let weights = DecoderCost(configuration).parameterCount
        let casts = model.precision == .float32 || model.adapter != nil ? 0 : weights * model.precision.byteSize
        return tokens * (kept + 4 * row) + casts
    }

    /// Bytes of the head's work: a chunk of logits, its gradient, and the copy that softmax makes.
    static func logitBytes(_ configuration: ModelConfiguration, tokens: Int) -> Int {
        let rows = min(tokens, Tensor.logitChunkRows(vocabulary: configuration.vocabularySize, on: .cpu))
        return 3 * rows * configuration.vocabularySize * DType.float32.byteSize
    }
}

extension MemoryPrediction {
    /// The prediction for a stage whose models and data are loaded.
    init(
        _ configuration: TrainConfiguration,
        _ stage: any Stage,
        policy: ModelConfiguration,
        adapter: AdapterSettings? = nil
    ) {
        let model = Training(
            configuration: policy,
            precision: configuration.compute.precision.dtype,
            checkpointsGradients: configuration.compute.gradientCheckpointing,
            adapter: adapter
        )
        let tokens = stage.largestMicroBatch ?? configuration.largestRolloutMicroBatch
        let trained = stage.learners.flatMap(\.parameters.tensors).map(\.count).reduce(0, +)
        self.init(
            loaded: Memory.residentBytes,
            gradients: trained * DType.float32.byteSize,
            activations: Self.activationBytes(model, tokens: tokens),
            logits: configuration.comparedModels * Self.logitBytes(policy, tokens: tokens),
            cache: min(configuration.sampledTokens * Self.cacheBytes(model), SequenceGenerator.defaultCacheBytes)
        )
    }

    /// Bytes that one token takes in the caches of all layers.
    private static func cacheBytes(_ model: Training) -> Int {
        Int(DecoderCost(model.configuration).cacheElements) * model.precision.byteSize
    }
}

extension TrainConfiguration {
    /// How many models' distributions are there at the same time.
    fileprivate var comparedModels: Int {
        switch stage {
        case .reward: 0
        case .kd: 2
        case .dpo where preference.objective.referenceNeed == .distributions: 2
        default: 1
        }
    }

    /// The most tokens that one prompt and its response can have in a rollout.
    var rolloutLength: Int { promptLimit + reinforcement.sampling.maxNewTokens }

    /// A micro-batch of rollouts is not known before they are sampled: the budget, unless the rows are fewer or longer.
    fileprivate var largestRolloutMicroBatch: Int {
        min(max(loop.microBatchTokens, rolloutLength), boundedProduct(loop.batchSize, rolloutLength))
    }

    /// Tokens that a rollout may hold in caches at once, 0 for stages that do not sample.
    fileprivate var sampledTokens: Int {
        guard stage == .ppo || stage == .rto, reinforcement.rollouts == nil else { return 0 }
        return boundedProduct(min(reinforcement.rolloutBatchSize, SequenceGenerator.defaultConcurrency), rolloutLength)
    }
}
