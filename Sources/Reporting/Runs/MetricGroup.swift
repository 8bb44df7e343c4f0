/// What metrics are about; a report has a section for each, in this order.
enum MetricGroup: String, CaseIterable {
    case loss = "Loss and rates"
    case rewards = "Rewards and accuracy"
    case divergence = "KL and entropy"
    case tokenRewards = "Token rewards"
    case lengths = "Lengths"
    case heldOut = "Held-out rows"
    case time = "Time and memory"
    case other = "Other metrics"
}

/// What is known of a metric by its name.
struct MetricDescription {
    let name: String
    let group: MetricGroup
    /// What it is counted in, empty where it is a plain number.
    let unit: String
    /// What values are divided by to be of that unit.
    let scale: Double
    /// Whether more is better, nil where neither is.
    let isBetterHigher: Bool?
    /// Whether a moving average helps to see where it goes.
    let isNoisy: Bool

    init(_ name: String) {
        self.name = name
        let isHeldOut = name.hasPrefix("eval_")
        let base = isHeldOut ? String(name.dropFirst("eval_".count)) : name
        group = isHeldOut ? .heldOut : Self.group(base)
        (unit, scale) = Self.unit(base)
        isBetterHigher = Self.isBetterHigher(base)
        isNoisy = !isHeldOut && !Self.smooth.contains(base)
    }

    private static let smooth: Set = [
        "learning_rate", "critic_learning_rate", "kl_coefficient", "peak_memory_bytes", "epoch",
    ]

    private static func group(_ name: String) -> MetricGroup {
        switch name {
        case "loss", "learning_rate", "grad_norm", "critic_learning_rate", "critic_grad_norm", "completion_loss",
            "ptx/loss",
            "perplexity":
            .loss
        case "accuracy", "margin", "mean_reward", "objective/rlhf_reward": .rewards
        case "kl", "kl_coefficient", "objective/kl", "objective/kl_per_token", "objective/entropy", "policy/approxkl",
            "teacher_kl", "rollout/logprob_difference":
            .divergence
        case "num_tokens", "tokens_per_second", "step_seconds", "peak_memory_bytes": .time
        default:
            switch name.split(separator: "/").first {
            case "policy", "value": .loss
            case "rewards", "logps": .rewards
            case "objective" where name.hasPrefix("objective/scores"): .rewards
            case "rto": .tokenRewards
            case "response_length": .lengths
            case "timing": .time
            default: .other
            }
        }
    }

    private static func unit(_ name: String) -> (String, Double) {
        switch name {
        case "peak_memory_bytes": ("GB", 1e9)
        case "step_seconds": ("seconds", 1)
        case "tokens_per_second": ("tokens/s", 1)
        case "num_tokens": ("tokens", 1)
        case "response_length/truncated", "accuracy", "rewards/accuracies", "policy/clipfrac", "value/clipfrac",
            "rto/clip_fraction", "rto/dense_share":
            ("share", 1)
        case "kl", "objective/kl", "objective/kl_per_token", "objective/entropy", "policy/approxkl", "teacher_kl",
            "rollout/logprob_difference":
            ("nats", 1)
        default:
            switch name.split(separator: "/").first {
            case "timing": ("seconds", 1)
            case "response_length": ("tokens", 1)
            case "logps": ("nats", 1)
            default: ("", 1)
            }
        }
    }

    private static func isBetterHigher(_ name: String) -> Bool? {
        switch name {
        case "loss", "completion_loss", "ptx/loss", "value/loss", "perplexity", "teacher_kl", "step_seconds",
            "peak_memory_bytes":
            false
        case "accuracy", "margin", "rewards/accuracies", "rewards/margins", "objective/rlhf_reward",
            "tokens_per_second",
            "value/explained_variance":
            true
        default: name.hasPrefix("objective/scores") ? true : name.hasPrefix("timing/") ? false : nil
        }
    }
}
