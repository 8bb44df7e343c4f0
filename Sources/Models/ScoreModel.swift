import Torch

/// A decoder with one number a token: a reward model reads the last token's, a critic every token's.
public struct ScoreModel {
    /// The decoder.
    public let decoder: Decoder
    /// Every tensor, under its Hugging Face name.
    public let parameters: ParameterStore
    /// The type it computes with; parameters may be wider.
    public let precision: DType
    /// Whether training keeps only each layer's input.
    public var checkpointsGradients = false
    /// The weight of the output, `[1, hidden]`.
    let head: Tensor

    /// Name of the head's tensor in the layout of `AutoModelForSequenceClassification`.
    static let headName = "score.weight"
    /// Names of the head's tensor in OpenRLHF's layouts.
    static let otherHeadNames = ["value_head.weight"]

    init(_ configuration: ModelConfiguration, _ store: ParameterStore, precision: DType) throws {
        decoder = try Decoder(configuration, store.root / "model")
        head = try store.root.parameter(Self.headName, [1, configuration.hiddenSize], .head)
        parameters = store
        self.precision = precision
        try store.finish()
    }

    /// What `config.json` says of it.
    public var configuration: ModelConfiguration { decoder.configuration }

    /// One number for each flat token, `[tokens]`, float32.
    public func tokenScores(_ batch: TokenBatch) -> Tensor { scores(batch, of: nil) }

    /// The number of some flat tokens, `[rows]`, or of all.
    private func scores(_ batch: TokenBatch, of rows: [Int]?) -> Tensor {
        let hidden = decoder.hidden(batch, rows: rows, dtype: precision, checkpointing: checkpointsGradients)
        return hidden.linear(head.to(precision)).squeezed(1).to(.float32)
    }

    /// The reward of each row, `[rows]`, which is the number at its last token.
    ///
    /// Not normalised.
    public func rewards(_ rows: ResponseBatch) -> Tensor { scores(rows.batch, of: rows.lastTokens) }

    /// The value of the state before each response token, `[response tokens]`.
    ///
    /// Not normalised.
    public func values(_ rows: ResponseBatch) -> Tensor { scores(rows.batch, of: rows.predictors) }
}
