import Models
import Objectives
import Torch

/// What the updates of one rollout learn from: rows and, flat over their response tokens, the fixed quantities.
struct Experience {
    /// A fixed quantity of each response token.
    enum Column: String, CaseIterable {
        /// log π of the policy that sampled.
        case logProbabilities = "log_probabilities"
        /// What the policy learns from.
        case advantages
        /// log π_ref, where the loss holds the policy to it.
        case reference = "reference_log_probabilities"
        /// The critic's values before the first update, where there is a critic.
        case values
        /// What the critic learns.
        case returns
    }

    let rows: [ResponseBatch.Row]
    private let columns: [Column: [Float]]
    private let ragged: RaggedRows

    init(_ rows: [ResponseBatch.Row], _ scored: ScoredRollout, klInLoss: Bool) {
        var columns: [Column: [Float]] = [
            .logProbabilities: scored.logProbabilities.floats, .advantages: scored.whitenedAdvantages.floats,
        ]
        if klInLoss { columns[.reference] = scored.reference.floats }
        if let values = scored.values {
            columns[.values] = values.floats
            columns[.returns] = scored.returns.floats
        }
        self.init(rows, columns)
    }

    private init(_ rows: [ResponseBatch.Row], _ columns: [Column: [Float]]) {
        self.rows = rows
        self.columns = columns
        ragged = RaggedRows(lengths: rows.map(\.response.count))
    }

    /// The quantities of some rows, in their order; traps where the experience has none.
    func tokens(_ chosen: [Int], of column: Column) -> Tensor {
        guard let column = columns[column] else { preconditionFailure("the experience has no \(column.rawValue)") }
        return Tensor(chosen.flatMap { column[ragged.range($0)] })
    }

    // In a checkpoint, so that a run killed between the updates of one rollout goes on with it.

    /// The tensors from which `init(restoring:)` makes the same experience.
    var saved: [(name: String, tensor: Tensor)] {
        [
            ("experience.tokens", Tensor(rows.flatMap { $0.prompt + $0.response })),
            ("experience.prompt_lengths", Tensor(rows.map(\.prompt.count))),
            ("experience.response_lengths", Tensor(rows.map(\.response.count))),
        ]
            + Column.allCases.compactMap { column in
                columns[column].map { ("experience." + column.rawValue, Tensor($0)) }
            }
    }

    /// The experience of a checkpoint; nil where it holds none.
    init?(restoring state: StageState, needing needed: [Column]) throws {
        guard let tokens = state.tensor("experience.tokens")?.integers else { return nil }
        func column(_ name: String) throws -> Tensor {
            guard let tensor = state.tensor("experience." + name) else {
                throw TrainingError("the checkpoint's experience has no \(name)")
            }
            return tensor
        }
        let prompts = try column("prompt_lengths").integers
        let responses = try column("response_lengths").integers
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
        var columns: [Column: [Float]] = [:]
        for needed in needed { columns[needed] = try column(needed.rawValue).floats }
        self.init(rows, columns)
    }
}
