/// How tokens are drawn from a model.
public struct SamplingSettings: Equatable, Sendable {
    /// The most tokens of a response, the end-of-sequence token included.
    public var maxNewTokens = 1024
    /// The fewest tokens of a response before it may end.
    public var minNewTokens: Int
    /// What logits are divided by before the softmax.
    public var temperature = 1.0
    /// The probability mass of the likeliest tokens that are drawn from; 1 draws from all.
    public var topP = 1.0
    /// How many of the likeliest tokens are drawn from; 0 draws from all.
    public var topK = 0
    /// Responses for each prompt.
    public var samplesPerPrompt = 1

    /// Creates the defaults; rollouts hold at least one token, as the reference implementation has it.
    public init(minNewTokens: Int = 0) {
        self.minNewTokens = minNewTokens
    }
}
