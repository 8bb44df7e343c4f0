import Models
import Torch

/// The arithmetic that a decoder's equations ask for, a multiplication and an addition counted as two operations.
///
/// A forward pass over T tokens, of which token t sees c(t) tokens, itself included, with R rows of logits costs
///
///     2·T·W − 2·(T − R)·(h·q + 3·h·m) + 4·q·Σ Σ c(t) + 2·R·V·h,   W = L·(2·h·q + 2·h·k + 3·h·m)
///
/// since in the last layer tokens without logits end with attention, with L layers of width h, over which the outer sum goes, since a layer's window bounds what its tokens see; feed-forward
/// width m, queries q = heads · dimension and keys k = key-value heads · dimension, and V rows of the head. A backward pass costs twice its forward pass. Left out are norms, rotary positions, softmax,
/// sampling and the optimizer, and whatever is computed a second time to save memory: the rate that follows from this cost
/// is that of useful work.
struct DecoderCost {
    /// W, the elements of the matrices of all layers.
    let layerWeights: Double
    /// h·q + 3·h·m, the elements of a layer that come after its attention.
    private let laterWeights: Double
    /// V·h, the elements of the head.
    let headWeights: Double
    /// Elements of the embedding and the head, which is counted once where it is the embedding.
    let vocabularyWeights: Double
    /// q, what a token costs in a layer for each token that it sees, but for the factor.
    private let attentionWidth: Double
    /// How many layers have each window.
    private let windows: [(window: Double, layers: Double)]
    /// Elements of norms and biases, whose arithmetic is not counted.
    let smallWeights: Double
    /// Elements that a token adds to the cache.
    let cacheElements: Double

    // Doubles, since sizes that no machine holds must still have a cost to be refused by.
    init(_ configuration: ModelConfiguration) {
        let layers = Double(configuration.layerCount)
        let hidden = Double(configuration.hiddenSize)
        let query = Double(configuration.queryWidth)
        let key = Double(configuration.keyWidth)
        let inner = Double(configuration.intermediateSize)
        laterWeights = hidden * (query + 3 * inner)
        layerWeights = layers * hidden * (2 * query + 2 * key + 3 * inner)
        let inputBiases = configuration.queryKeyValueBias ? query + 2 * key : 0
        let attentionBiases = inputBiases + (configuration.attentionOutputBias ? hidden : 0)
        let feedForwardBiases = configuration.feedForwardBias ? 2 * inner + hidden : 0
        let norms = Double(configuration.normsPerLayer) * hidden + Double(configuration.queryKeyNormWidth)
        smallWeights = layers * (norms + attentionBiases + feedForwardBiases) + hidden
        headWeights = Double(configuration.vocabularySize) * hidden
        vocabularyWeights = headWeights * (configuration.tiesEmbeddings ? 1 : 2)
        attentionWidth = query
        windows = Dictionary(grouping: configuration.layers, by: \.window).map {
            ($0.key.map(Double.init) ?? .infinity, Double($0.value.count))
        }
        cacheElements = 2 * layers * key
    }

    /// Elements of all matrices.
    var weights: Double { layerWeights + vocabularyWeights }

    /// Elements of all weights, norms and biases, at most 2⁵³.
    var parameterCount: Int { Int(min(weights + smallWeights, 0x1p53)) }

    /// Operations of a forward pass.
    ///
    /// - Parameters:
    ///   - visible: Σ c(t), the tokens that each token sees in layers of a window, summed
    ///   - headRows: rows of logits
    private func forward(tokens: Int, headRows: Int, visible: (_ window: Double) -> Double) -> Double {
        let seen = windows.map { $0.layers * visible($0.window) }.reduce(0, +)
        let matrices = Double(tokens) * (layerWeights - laterWeights) + Double(headRows) * (laterWeights + headWeights)
        return 2 * matrices + 4 * attentionWidth * seen
    }

    /// Σ of min(c, window) over `count` tokens, of which the first sees one more than `before`.
    private func visible(_ count: Double, after before: Double, window: Double) -> Double {
        let growing = min(max(window - before, 0), count)
        let full = growing < count ? (count - growing) * window : 0
        return growing * before + growing * (growing + 1) / 2 + full
    }

    /// Operations of a forward pass over the segments of a batch.
    func forward(_ segments: [Segment], headRows: Int) -> Double {
        forward(tokens: segments.map(\.length).reduce(0, +), headRows: headRows) { window in
            segments.map { segment in
                let above = segment.parent.map { segments[$0].length } ?? 0
                return visible(Double(segment.length), after: Double(above), window: window)
            }.reduce(0, +)
        }
    }

    /// Operations of scoring responses without gradient.
    func scoring(_ batch: ResponseBatch) -> Double { forward(batch.batch.segments, headRows: batch.targets.count) }

    /// Operations of a forward and a backward pass.
    func training(_ batch: ResponseBatch) -> Double { 3 * scoring(batch) }

    /// Operations of sampling all tokens but the first of responses to prompts of one length.
    func decoding(sequences: Int, promptTokens: Int, newTokens: Int) -> Double {
        let tokens = sequences * (newTokens - 1)
        // The token that is read at step j, counted from 1, sees the prompt and j tokens of the response.
        return forward(tokens: tokens, headRows: tokens) { window in
            Double(sequences) * visible(Double(newTokens - 1), after: Double(promptTokens), window: window)
        }
    }
}
