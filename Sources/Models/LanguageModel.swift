import Foundation
import Torch

/// A decoder with its vocabulary head: log-probabilities of tokens, and logits where they are wanted.
public struct LanguageModel {
    /// The decoder.
    public let decoder: Decoder
    /// Every tensor, under its Hugging Face name.
    public let parameters: ParameterStore
    /// The type it computes with; parameters may be wider.
    public let precision: DType
    /// Whether training keeps only each layer's input.
    public var checkpointsGradients = false
    /// `[vocabulary, hidden]`; the embedding itself where they are tied.
    let head: Tensor
    /// The head as sampling reads it, where the model is made for that.
    private let packedHead: PackedWeight?

    init(_ configuration: ModelConfiguration, _ store: ParameterStore, precision: DType) throws {
        decoder = try Decoder(configuration, store.root / "model")
        let shape = [configuration.vocabularySize, configuration.hiddenSize]
        head =
            configuration.tiesEmbeddings
            ? decoder.embedding : try (store.root / "lm_head").parameter("weight", shape, .matrix)
        let isPacked = store.preparation.isPacked && PackedWeight.exists(for: head.dtype)
        packedHead = isPacked ? PackedWeight(head) : nil
        parameters = store
        self.precision = precision
        try store.finish()
    }

    /// What `config.json` says of it.
    public var configuration: ModelConfiguration { decoder.configuration }

    var device: Device { decoder.embedding.device }

    /// Final hidden states `[tokens, hidden]`.
    func hidden(_ batch: TokenBatch) -> Tensor {
        decoder.hidden(batch, dtype: precision, checkpointing: checkpointsGradients)
    }

    /// Final hidden states `[response tokens, hidden]` of the tokens that predict a response's.
    func predictors(_ rows: ResponseBatch) -> Tensor {
        decoder.hidden(rows.batch, rows: rows.predictors, dtype: precision, checkpointing: checkpointsGradients)
    }

    /// log π of each response token, `[response tokens]`, float32: rows in order, the head at response positions only.
    public func logProbabilities(_ rows: ResponseBatch, temperature: Double = 1) -> Tensor {
        return Tensor.tokenLogProbabilities(
            hidden: scaled(predictors(rows)),
            weight: head.to(precision),
            targets: Tensor(rows.targets).to(device),
            temperature: temperature,
            softCap: configuration.factors.logitCap
        )
    }

    /// Logits `[tokens, vocabulary]` in float32 of all positions: for inspection and tests, not for training.
    public func logits(_ batch: TokenBatch) -> Tensor { project(hidden(batch)) }

    /// The `count` largest logits of every position with their ids, `[tokens, count]` each; computed in chunks, no gradient.
    public func topLogits(_ batch: TokenBatch, count: Int) -> (logits: Tensor, ids: Tensor) {
        withoutGradients {
            let states = hidden(batch)
            let kept = min(count, configuration.vocabularySize)
            let parts = chunks(of: states).map { project($0).top(kept) }
            return (Tensor.concatenated(parts.map(\.values)), Tensor.concatenated(parts.map(\.indices)))
        }
    }

    /// log p of each token but the first given those before it, for each sequence of at least one token.
    public func sequenceLogProbabilities(_ sequences: [[Int]]) -> [[Float]] {
        withoutGradients {
            let rows = ResponseBatch(sequences.map { .init(prompt: [], response: $0) })
            let flat = logProbabilities(rows).floats
            var start = 0
            return rows.lengths.map { length in
                defer { start += length }
                return Array(flat[start..<start + length])
            }
        }
    }

    private func chunks(of states: Tensor) -> [Tensor] {
        let size = Tensor.logitChunkRows(vocabulary: configuration.vocabularySize, on: device)
        return stride(from: 0, to: states.size(0), by: size).map {
            states.narrowed(0, $0..<min($0 + size, states.size(0)))
        }
    }

    /// The head alone: `[rows, hidden]` to logits `[rows, vocabulary]` in float32.
    func project(_ hidden: Tensor) -> Tensor {
        let states = scaled(hidden)
        let logits = (packedHead.map { $0(states) } ?? states.linear(head)).to(.float32)
        return configuration.factors.logitCap.map { logits.softCapped($0) } ?? logits
    }

    /// Hidden states as the head takes them.
    func scaled(_ hidden: Tensor) -> Tensor {
        let factor = configuration.factors.head
        return factor == 1 ? hidden : hidden * factor
    }

    /// Log-probabilities `[response tokens]` and entropies `[response tokens]` from one pass without gradient.
    public func logProbabilitiesAndEntropies(_ rows: ResponseBatch, temperature: Double = 1) -> (Tensor, Tensor) {
        withoutGradients {
            return Tensor.tokenLogProbabilitiesAndEntropies(
                hidden: scaled(predictors(rows)),
                weight: head.to(precision),
                targets: Tensor(rows.targets).to(device),
                temperature: temperature,
                softCap: configuration.factors.logitCap
            )
        }
    }
}

extension Decoder {
    /// Hidden states of a batch of segments, each token seeing its segment's past and its parent: of all tokens, or of some.
    func hidden(_ batch: TokenBatch, rows: [Int]? = nil, dtype: DType, checkpointing: Bool) -> Tensor {
        let device = embedding.device
        return self(
            Tensor(batch.tokens).to(device),
            positions: Tensor(batch.positions).to(device),
            rows: rows,
            dtype: dtype,
            checkpointing: checkpointing
        ) { [attention = SegmentAttention(batch.segments)] layer, queries, keys, values in
            attention(queries: queries, keys: keys, values: values, rule: configuration.attentionRule(layer))
        }
    }
}
