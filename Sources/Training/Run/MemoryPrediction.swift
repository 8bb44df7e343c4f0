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
    /// The head's logits, and the gradient of its weight, which is there before any other.
    var head: Int
    /// Keys and values of the sequences that are being sampled, and the weights as sampling reads them.
    var sampling: Int
    /// Whether a step has one micro-batch, so that gradients come as activations go.
    var hasOneMicroBatch: Bool

    /// The sum at the worst moment: sampling and updating do not happen at the same time.
    var peak: Int { loaded + max(update + head, sampling) }

    private var update: Int { hasOneMicroBatch ? max(gradients, activations) : gradients + activations }

    /// What the run takes beyond what is loaded even where this prediction is much too high.
    private var leastGrowth: Int { hasOneMicroBatch ? max(gradients, activations / 2) : gradients + activations / 2 }

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
    /// Each operator keeps its inputs where its derivative needs them; what two operators keep is there once, and what a norm
    /// or a gated unit returns to a product is made again. With the hidden width h, the query width q, the key width k and the
    /// inner width m:
    /// - the residual stream before attention and before the feed-forward layer: 2h; norms behind these keep their inputs:
    ///   2h more; norms of queries and keys: q + k
    /// - attention: rotated queries and keys, values, and what it returns, the output projection's input: 2q + 2k; values of a
    ///   fused projection keep all of that: q + k; in the last layer the output projection's input is a copy, of the rows whose
    ///   states are wanted
    /// - feed-forward: gate and up: 2m
    static func layerBytes(_ configuration: ModelConfiguration, _ precision: DType) -> Int {
        let projected = configuration.queryWidth + configuration.keyWidth
        let streams = (configuration.normalizesUpdates ? 4 : 2) * configuration.hiddenSize
        let copies = 2 + (configuration.queryKeyNormWidth > 0 ? 1 : 0) + (configuration.isFused ? 1 : 0)
        let attention = copies * projected
        return (streams + attention + 2 * configuration.intermediateSize) * precision.byteSize
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
        let row = configuration.hiddenSize * model.precision.byteSize
        let kept = configuration.layerCount * (model.checkpointsGradients ? row : layer)
        // The last layer's gradients come while all is there: of the stream and the product's input, of the gated unit, its gate
        // and its up. Checkpointed, that layer has been computed again by then.
        let last =
            2 * row + 3 * configuration.intermediateSize * model.precision.byteSize
            + (model.checkpointsGradients ? layer : 0)
        // The last norm's input, its result and both gradients.
        return tokens * (kept + last + 4 * row)
    }

    /// Bytes of the head's work for a number of models whose distributions are there at the same time.
    static func headBytes(_ model: Training, tokens: Int, models: Int) -> Int {
        guard models > 0 else { return 0 }
        let vocabulary = model.configuration.vocabularySize
        // Distributions that are compared are in float32.
        let row = models * vocabulary * (models > 1 ? .float32 : model.precision).byteSize
        let rows = min(tokens, Tensor.logitChunkRows(vocabulary: vocabulary, on: .cpu))
        let kept = min((tokens - rows) * row, Tensor.keptLogitBytes)
        // Summed in float32; a computing type that is narrower has its own copies of the weight and of the gradient.
        let narrow = model.precision == .float32 ? 0 : 2 * model.precision.byteSize
        let gradient = vocabulary * model.configuration.hiddenSize * (DType.float32.byteSize + narrow)
        let learned = rows * row + (model.adapter == nil ? gradient : 0)
        // Beside both distributions there are the reference's shares, a difference, and a byte for what is never said.
        let compared = models > 1 ? rows * row * 2 + rows * vocabulary : 0
        return kept + max(learned, compared)
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
        let largest = stage.largestMicroBatch
        let tokens = largest?.tokens ?? configuration.largestRolloutMicroBatch
        let trained = stage.learners.flatMap(\.parameters.tensors).map(\.count).reduce(0, +)
        self.init(
            loaded: Memory.residentBytes,
            gradients: trained * DType.float32.byteSize,
            activations: Self.activationBytes(model, tokens: tokens),
            head: Self.headBytes(model, tokens: tokens, models: configuration.comparedModels),
            sampling: Self.samplingBytes(model, tokens: configuration.sampledTokens),
            // Policy and critic learn in turn from each micro-batch.
            hasOneMicroBatch: largest?.isWholeStep ?? false
        )
    }

    /// Bytes that it takes to sample sequences that hold so many tokens at once: caches, and the weights in the order of sampling.
    private static func samplingBytes(_ model: Training, tokens: Int) -> Int {
        guard tokens > 0 else { return 0 }
        let weights = DecoderCost(model.configuration).parameterCount * model.precision.byteSize
        return weights + min(tokens * cacheBytes(model), SequenceGenerator.defaultCacheBytes)
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
