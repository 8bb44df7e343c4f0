/// RTO's token reward: β₁·log(π_dpo/π_ref) at each response token.
///
/// Defaults are those of the RTO authors' release script.
public struct TokenRewardSettings: Equatable, Sendable {
    /// The DPO-trained model whose log-ratios reward tokens; may be absent only when ``scale`` is 0.
    public var dpoModel: String?
    /// β₁: what log-ratios are multiplied by; 0 means no token reward.
    public var scale = 0.05
    /// The bound on the absolute token reward, after scaling; 0 means none.
    public var clip = 0.05
    /// Where the token rewards of a response are paid.
    public var placement = TokenRewardPlacement.token

    /// Creates the defaults.
    public init() {}
}

/// Where the token rewards of a response are paid.
public enum TokenRewardPlacement: String, SettingChoice {
    /// At each token: RTO.
    case token
    /// The sum of each sentence at its last token: Semi-RTO.
    case sentence
    /// The sum of the response at its last token: DDPO.
    case end
    /// At each token, and what they sum to subtracted at the last one: RS-PPO.
    case shaping
}
