import JSONText

/// Which version of Arena-Hard files belong to; their rules differ.
public enum ArenaHardVersion: String, Sendable {
    /// 500 questions, `question_id`.
    case v01 = "v0.1"
    /// 750 questions in two categories, `uid`.
    case v20 = "v2.0"
}

/// One comparison of a model with the baseline; a strong verdict counts as three.
public struct Battle: Equatable, Sendable {
    /// The question.
    public var question: String
    /// The model.
    public var model: String
    /// 1 if the model wins, 0 if the baseline does, ½ for a tie.
    public var outcome: Double

    /// A comparison.
    public init(question: String, model: String, outcome: Double) {
        (self.question, self.model, self.outcome) = (question, model, outcome)
    }
}

/// Comparisons of models with one baseline.
public struct Battles: Sendable {
    /// Whose rules apply.
    public let version: ArenaHardVersion
    /// The baseline of all of them.
    public let baseline: String
    /// The comparisons in the original's order, on which a seeded bootstrap depends.
    public let rows: [Battle]
    /// Games and questions that did not count, by reason.
    public let notes: [String]

    /// The models, in alphabetical order.
    public var models: [String] { Set(rows.map(\.model)).sorted() }

    /// Battles made here.
    public init(version: ArenaHardVersion, baseline: String, rows: [Battle], notes: [String] = []) {
        (self.version, self.baseline, self.rows, self.notes) = (version, baseline, rows, notes)
    }

    /// Reads a file of v0.1's expanded battles: lines of `{"question_id", "model_a", "model_b", "winner"}`.
    ///
    /// - Throws: ``EvaluationError`` naming the row, also where neither model is the baseline.
    public init(path: String, baseline: String) throws(EvaluationError) {
        var rows: [Battle] = []
        for (index, row) in try RowFile.read(path).enumerated() {
            let place = "\(path), row \(index + 1)"
            let (a, b) = (try row.text("model_a", at: place), try row.text("model_b", at: place))
            let winner = try row.text("winner", at: place)
            guard (a == baseline) != (b == baseline) else {
                throw EvaluationError(
                    "\(place): one of \(a) and \(b) must be the baseline \(baseline); name another with --baseline"
                )
            }
            let wins = ["model_a": a, "model_b": b][winner]
            guard wins != nil || winner.hasPrefix("tie") else {
                throw EvaluationError("\(place): the winner must be model_a, model_b or tie, found '\(winner)'")
            }
            rows.append(
                Battle(
                    question: try row.text("question_id", at: place),
                    model: a == baseline ? b : a,
                    outcome: wins.map { $0 == baseline ? 0 : 1 } ?? 0.5
                )
            )
        }
        guard !rows.isEmpty else { throw EvaluationError("\(path): there are no battles in it") }
        self.init(version: .v01, baseline: baseline, rows: rows)
    }

    /// The battles of judgments.
    ///
    /// v0.1: a game without a known label is left out alone. v2.0: a question with such a game is left out whole, and a label
    /// that is not one of the ten is an error.
    ///
    /// - Throws: ``EvaluationError`` naming the judgment.
    public init(_ judgments: ArenaHardJudgments, baseline: String) throws(EvaluationError) {
        let version = judgments.version
        // v2.0 does not let a judge judge itself.
        let judges = version == .v20 ? Set(judgments.rows.compactMap(\.judge)) : []
        let counted = judgments.rows.filter { !judges.contains($0.model) }
        var rows: [Battle] = []
        var games = 0
        for judgment in counted {
            let outcomes = try Self.outcomes(judgment, version)
            games += outcomes.count
            rows += outcomes.joined().map { Battle(question: judgment.question, model: judgment.model, outcome: $0) }
        }
        guard !rows.isEmpty else { throw EvaluationError("no judgment has a verdict that counts") }
        var notes: [String] = []
        if counted.count < judgments.rows.count { notes.append("a judge's judgments of its own answers do not count") }
        let dropped = 2 * counted.count - games
        if dropped > 0 {
            let share =
                version == .v01
                ? "\(dropped) of \(2 * counted.count) games" : "\(dropped / 2) of \(counted.count) questions"
            notes.append("without a verdict, and not counted: \(share)")
        }
        self.init(version: version, baseline: baseline, rows: rows, notes: notes)
    }

    /// The model's outcomes in the games that count, each as often as its verdict weighs; v2.0's in the original's order.
    private static func outcomes(
        _ judgment: ArenaHardJudgments.Row,
        _ version: ArenaHardVersion
    ) throws(EvaluationError) -> [[Double]] {
        if version == .v20 && judgment.labels.contains(nil) { return [] }
        var outcomes: [[Double]] = []
        for (number, label) in judgment.labels.enumerated() {
            guard let label else { continue }
            guard let (y, weight) = Verdict.outcome(label, canonicalOnly: version == .v01) else {
                if version == .v01 { continue }
                throw EvaluationError("\(judgment.place): there is no verdict '\(label)'")
            }
            // The model is B in the first game and A in the second.
            outcomes.append([Double](repeating: number == 0 ? y : 1 - y, count: weight))
        }
        return version == .v01 ? outcomes : outcomes.reversed()
    }
}
