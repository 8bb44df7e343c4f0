import Models
import Objectives
import Torch

/// What the updates of one rollout learn from: rows and, flat over their response tokens, the fixed quantities.
struct Experience {
    let rows: [ResponseBatch.Row]
    let logProbabilities: [Float]
    let advantages: [Float]
    let values: [Float]
    let returns: [Float]
    private let ragged: RaggedRows

    init(_ rows: [ResponseBatch.Row], _ scored: ScoredRollout) {
        self.init(
            rows,
            logProbabilities: scored.logProbabilities.floats,
            advantages: scored.whitenedAdvantages.floats,
            values: scored.values.floats,
            returns: scored.returns.floats
        )
    }

    private init(
        _ rows: [ResponseBatch.Row],
        logProbabilities: [Float],
        advantages: [Float],
        values: [Float],
        returns: [Float]
    ) {
        self.rows = rows
        self.logProbabilities = logProbabilities
        self.advantages = advantages
        self.values = values
        self.returns = returns
        ragged = RaggedRows(lengths: rows.map(\.response.count))
    }

    /// The quantities of some rows, in their order.
    func tokens(_ chosen: [Int], of column: KeyPath<Experience, [Float]>) -> Tensor {
        Tensor(chosen.flatMap { self[keyPath: column][ragged.range($0)] })
    }

    // In a checkpoint, so that a run killed between the updates of one rollout goes on with it.

    private static var columns: [(name: String, path: KeyPath<Experience, [Float]>)] {
        [
            ("experience.log_probabilities", \.logProbabilities), ("experience.advantages", \.advantages),
            ("experience.values", \.values), ("experience.returns", \.returns),
        ]
    }

    /// The tensors from which `init(restoring:)` makes the same experience.
    var saved: [(name: String, tensor: Tensor)] {
        [
            ("experience.tokens", Tensor(rows.flatMap { $0.prompt + $0.response })),
            ("experience.prompt_lengths", Tensor(rows.map(\.prompt.count))),
            ("experience.response_lengths", Tensor(rows.map(\.response.count))),
        ] + Self.columns.map { ($0.name, Tensor(self[keyPath: $0.path])) }
    }

    /// The experience of a checkpoint; nil where it holds none.
    init?(restoring state: StageState) throws {
        guard let tokens = state.tensor("experience.tokens")?.integers else { return nil }
        func column(_ name: String) throws -> Tensor {
            guard let tensor = state.tensor(name) else {
                throw TrainingError("the checkpoint's experience has no \(name)")
            }
            return tensor
        }
        let prompts = try column("experience.prompt_lengths").integers
        let responses = try column("experience.response_lengths").integers
        var rows: [ResponseBatch.Row] = []
        var start = 0
        for (prompt, response) in zip(prompts, responses) {
            rows.append(
                .init(
                    prompt: Array(tokens[start..<start + prompt]),
                    response: Array(tokens[start + prompt..<start + prompt + response])
                )
            )
            start += prompt + response
        }
        let floats = try Self.columns.map { try column($0.name).floats }
        self.init(rows, logProbabilities: floats[0], advantages: floats[1], values: floats[2], returns: floats[3])
    }
}
