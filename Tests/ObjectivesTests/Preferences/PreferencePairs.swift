import Objectives
import Testing
import Torch

/// Pairs of log-probabilities from plain numbers.
func pairs(
    chosen: [Double],
    rejected: [Double],
    referenceChosen: [Double]? = nil,
    referenceRejected: [Double]? = nil,
    lengths: [(chosen: Int, rejected: Int)]? = nil
) -> PreferenceLogProbabilities {
    PreferenceLogProbabilities(
        chosen: Tensor(chosen),
        rejected: Tensor(rejected),
        referenceChosen: referenceChosen.map { Tensor($0) },
        referenceRejected: referenceRejected.map { Tensor($0) },
        chosenLengths: lengths?.map(\.chosen) ?? chosen.map { _ in 1 },
        rejectedLengths: lengths?.map(\.rejected) ?? chosen.map { _ in 1 }
    )
}

extension FixtureCase {
    /// The pairs of a recorded preference loss: policy `pw`, `pl`, reference `rw`, `rl`, lengths `len_w`, `len_l`.
    func pairs() throws -> PreferenceLogProbabilities {
        let inputs = try #require(json["inputs"])
        let count = try input("pw").count
        return try PreferenceLogProbabilities(
            chosen: input("pw"),
            rejected: input("pl"),
            referenceChosen: inputs["rw"].map { _ in try input("rw") },
            referenceRejected: inputs["rl"].map { _ in try input("rl") },
            chosenLengths: inputs["len_w"].map { _ in try input("len_w").integers }
                ?? Array(repeating: 1, count: count),
            rejectedLengths: inputs["len_l"].map { _ in try input("len_l").integers }
                ?? Array(repeating: 1, count: count)
        )
    }

    /// Expects the mean loss, the rewards and the gradients to equal the recorded ones.
    func expect(_ outcome: PreferenceOutcome, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let loss = outcome.losses.mean()
        try expect(loss, equals: "loss", sourceLocation: sourceLocation)
        try expect(outcome.chosenRewards, equals: "chosen_rewards", sourceLocation: sourceLocation)
        try expect(outcome.rejectedRewards, equals: "rejected_rewards", sourceLocation: sourceLocation)
        #expect(!outcome.chosenRewards.requiresGradient && !outcome.rejectedRewards.requiresGradient)
        try expectGradients(of: loss, sourceLocation: sourceLocation)
    }
}
