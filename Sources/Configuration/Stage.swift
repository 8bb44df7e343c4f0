/// A kind of training, as named by `rto train`.
public enum Stage: String, CaseIterable, Sendable {
    /// Supervised fine-tuning on completions.
    case sft
    /// A scalar reward model from preference pairs (Bradley–Terry).
    case reward
    /// Direct preference optimisation and its relatives.
    case dpo
    /// Kahneman–Tversky optimisation of single responses with labels.
    case kto
    /// Knowledge distillation: supervised fine-tuning with a teacher.
    case kd
    /// Proximal policy optimisation against a reward model.
    case ppo
    /// Reinforced Token Optimization: PPO with the token rewards of a DPO model.
    case rto

    /// Whether the stage samples rollouts from its policy (PPO and RTO).
    public var isReinforcement: Bool { self == .ppo || self == .rto }

    /// The words that start the stage on the command line: "rto train dpo".
    public var command: String { "rto train " + rawValue }
}
