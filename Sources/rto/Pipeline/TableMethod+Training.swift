import Configuration

extension TableMethod {
    /// Its name in tables.
    var title: String {
        switch self {
        case .dpo: "DPO"
        case .rdpo: "R-DPO"
        case .simpo: "SimPO"
        case .tdpo2: "TDPO"
        case .ppo: "PPO"
        case .ppoUndiscounted: "PPO, λ = 1"
        case .rto: "RTO"
        case .semiRTO: "Semi-RTO"
        case .ddpo: "DDPO"
        case .rsPPO: "RS-PPO"
        case .rsPPOUndiscounted: "RS-PPO, λ = 1"
        case .reinforce: "REINFORCE++"
        case .rtoReinforce: "RTO on REINFORCE++"
        }
    }

    /// The loss of a method that learns from pairs, or nothing for reinforcement learning.
    var preferenceLoss: PreferenceObjective? {
        switch self {
        case .dpo: .dpo
        case .rdpo: .rdpo
        case .simpo: .simpo
        case .tdpo2: .tdpo2
        default: nil
        }
    }

    /// Where DPO's token rewards are paid, or nothing for a method without them.
    var tokenRewardPlacement: TokenRewardPlacement? {
        switch self {
        case .rto, .rtoReinforce: .token
        case .semiRTO: .sentence
        case .ddpo: .end
        case .rsPPO, .rsPPOUndiscounted: .shaping
        default: nil
        }
    }

    /// Whether advantages are estimated with a critic.
    var hasCritic: Bool { self != .reinforce && self != .rtoReinforce }

    /// λ of advantage estimation.
    var lambda: Double { self == .ppoUndiscounted || self == .rsPPOUndiscounted ? 1 : 0.95 }

    /// What ``MethodSettings/coefficient`` is for this method.
    var coefficientName: String {
        preferenceLoss != nil ? "β" : tokenRewardPlacement == nil ? "β₂" : "β₁"
    }
}
