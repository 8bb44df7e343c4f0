import Configuration
import Models
import Objectives
import Torch

/// The numbers of a rollout, which are reported with each of its updates.
struct RolloutSummary {
    let settings: ReinforcementSettings

    func callAsFunction(_ rollout: Rollout, _ rows: [ResponseBatch.Row], _ scored: ScoredRollout) -> Metrics {
        let ragged = RaggedRows(lengths: rows.map(\.response.count))
        var metrics = Metrics()
        metrics["objective/scores"] = scored.scores.mean().scalar
        if scored.parts.count > 1 {
            for (index, part) in scored.parts.enumerated() {
                metrics["objective/scores/\(index + 1)"] = part.mean().scalar
            }
        }
        metrics["objective/kl"] = ragged.sums(scored.kl).mean().scalar
        metrics["objective/kl_per_token"] = scored.kl.mean().scalar
        metrics["objective/entropy"] = scored.entropies.mean().scalar
        metrics["objective/rlhf_reward"] = ragged.sums(scored.rewards).mean().scalar
        metrics["value/explained_variance"] = scored.values.map {
            explainedVariance(values: $0, returns: scored.returns)
        }
        metrics.append(lengths(rollout, rows))
        if let dense = scored.tokenRewards { metrics.append(tokenRewards(dense, scored, ragged)) }
        return metrics
    }

    private func lengths(_ rollout: Rollout, _ rows: [ResponseBatch.Row]) -> Metrics {
        let lengths = rows.map { Double($0.response.count) }
        var metrics = Metrics()
        metrics["response_length/mean"] = lengths.reduce(0, +) / Double(max(1, lengths.count))
        metrics["response_length/min"] = lengths.min()
        metrics["response_length/max"] = lengths.max()
        metrics["response_length/truncated"] =
            Double(rollout.sequences.count { !$0.isFinished }) / Double(max(1, rows.count))
        return metrics
    }

    private func tokenRewards(_ dense: Tensor, _ scored: ScoredRollout, _ ragged: RaggedRows) -> Metrics {
        var metrics = Metrics()
        metrics["rto/token_reward_mean"] = dense.mean().scalar
        metrics["rto/token_reward_std"] = (dense - dense.mean()).squared().mean().scalar.squareRoot()
        metrics["rto/token_reward_min"] = dense.min().scalar
        metrics["rto/token_reward_max"] = dense.max().scalar
        metrics["rto/clip_fraction"] = scored.clipFraction
        metrics["rto/dense_share"] = denseShare(dense, scored.scores, ragged)
        return metrics
    }

    /// Σ|token rewards| against Σ|token rewards| + |score|, the mean over rows: the dense reward should not dominate.
    private func denseShare(_ dense: Tensor, _ scores: Tensor, _ ragged: RaggedRows) -> Double {
        let tokens = ragged.sums(dense.magnitude())
        let bounded = settings.rewardClip > 0 ? scores.clamped(-settings.rewardClip, settings.rewardClip) : scores
        let total = tokens + settings.rewardCoefficient * bounded.magnitude()
        return (tokens / total.clamped(1e-12, nil)).mean().scalar
    }
}
