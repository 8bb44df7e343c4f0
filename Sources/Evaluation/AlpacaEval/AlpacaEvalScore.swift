import JSONText

/// What AlpacaEval says of a model.
public struct AlpacaEvalScore: Sendable {
    /// The model's name.
    public let model: String
    /// The raw win rate.
    public let winRate: WinRate
    /// The mean length of the model's answers.
    public let averageLength: Int
    /// The length-controlled win rate; nil where its inputs are missing.
    public let lengthControl: Control?

    /// A length-controlled win rate.
    public enum Control: Sendable {
        /// The fit.
        case fitted(LengthControl)
        /// The model is the baseline: 50, by definition.
        case baseline
    }

    /// A score of its parts.
    public init(model: String, winRate: WinRate, averageLength: Int, lengthControl: Control?) {
        self.model = model
        self.winRate = winRate
        self.averageLength = averageLength
        self.lengthControl = lengthControl
    }

    /// The length-controlled win rate and its standard error.
    public var controlled: (rate: Double, error: Double)? {
        switch lengthControl {
        case .fitted(let fit): (fit.winRate, fit.standardError)
        case .baseline: (50, 0)
        case nil: nil
        }
    }

    /// The fit, where there is one.
    public var fit: LengthControl? { if case .fitted(let fit) = lengthControl { fit } else { nil } }

    /// The score by the original's names.
    public var json: JSON {
        func number(_ value: Double?) -> JSON { value.flatMap { $0.isNaN ? nil : .number($0) } ?? .null }
        return [
            "win_rate": number(winRate.winRate),
            "standard_error": number(winRate.standardError),
            "n_wins": .integer(winRate.wins),
            "n_wins_base": .integer(winRate.baselineWins),
            "n_draws": .integer(winRate.draws),
            "n_total": .integer(winRate.total),
            "discrete_win_rate": number(winRate.discreteWinRate),
            "avg_length": .integer(averageLength),
            "length_controlled_winrate": number(controlled?.rate),
            "lc_standard_error": number(controlled?.error),
            "regularization": number(fit?.regularization),
            "coefficients": fit.map {
                .array([.number($0.coefficients.x), .number($0.coefficients.y), .number($0.coefficients.z)])
            } ?? .null,
        ]
    }

    /// The row of the original's `leaderboard.csv`, with its line of names.
    public var leaderboard: String {
        let names = [
            "win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total", "discrete_win_rate", "mode",
            "avg_length", "length_controlled_winrate", "lc_standard_error",
        ]
        let fields = names.map { name -> String in
            if name == "mode" { return "community" }
            let value = json[name] ?? .null
            return value.isNull ? "" : value.serialized()
        }
        let quoted =
            "\"" + model.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
        return "," + names.joined(separator: ",") + "\n" + quoted + "," + fields.joined(separator: ",") + "\n"
    }
}
