/// Everything that `rto bench table` needs to know.
public struct TableConfiguration: Sendable, Equatable {
    /// The directory for the chains' runs and the results.
    public var output = "table"
    /// How many chains are trained, each from data of its own to the last policy.
    public var chains = 5
    /// The seed of the first chain; the others follow it.
    public var firstSeed = 1
    /// The methods to compare with the fine-tuned policy.
    public var methods = TableMethod.allCases
    /// Leave out the runs on shares of the prompts.
    public var leavesOutCurve = false
    /// Try the grid of settings instead of making the table.
    public var tunes = false
    /// A tiny world and a few steps: whether everything runs, not what comes out.
    public var isMiniature = false
    /// The model to start from instead of the pocket world's.
    public var model: String?
    /// The prompts, of which every chain takes a share for each purpose.
    public var prompts: String?
    /// The reward model whose score is the truth.
    public var gold: String?
    /// What all learning rates are multiplied by: those of the pocket world are for tiny models.
    public var learningRateScale = 1.0
    /// The most tokens of a response.
    public var maxNewTokens = 100
    /// How many threads each process computes with.
    public var threads = 1

    /// Creates the defaults.
    public init() {}
}

/// A row of the table; raw values name run directories.
public enum TableMethod: String, SettingChoice {
    /// Direct preference optimisation, and three of its relatives.
    case dpo, rdpo, simpo, tdpo2
    /// Proximal policy optimisation with the reward model's score, λ = 0.95 and λ = 1.
    case ppo
    case ppoUndiscounted = "ppo-lambda-1"
    /// PPO with DPO's token rewards, and with their sums at the ends of sentences or of the response.
    case rto
    case semiRTO = "semi-rto"
    case ddpo
    /// RTO less the sum of its token rewards at the end, λ = 0.95 and λ = 1.
    case rsPPO = "rs-ppo"
    case rsPPOUndiscounted = "rs-ppo-lambda-1"
    /// PPO and RTO with REINFORCE++ in place of a critic.
    case reinforce = "reinforce++"
    case rtoReinforce = "rto-reinforce++"
}

extension TableConfiguration: Configurable {
    /// "rto bench table".
    public var command: String { "rto bench table" }
    /// What the command does.
    public var overview: String {
        "The paper's tables in miniature: train every method on chains of their own seeds and judge them by the true reward."
    }
    /// The command with nothing given.
    public var defaults: TableConfiguration { TableConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<TableConfiguration>] {
        [
            SettingGroup(
                "Options",
                [
                    .value(
                        "output",
                        \.output,
                        "The directory for runs and results; the same one goes on where it stopped"
                    ),
                    .value(
                        "seeds",
                        \.chains,
                        in: .from(1, through: 100),
                        "How many chains, each with a seed of its own"
                    ),
                    .value(
                        "first-seed",
                        \.firstSeed,
                        in: .from(0, through: Int.max >> 8),
                        "The seed of the first chain"
                    ),
                    .list("methods", \.methods, "A method; may be repeated, and is every one where not given"),
                    .flag("no-curve", \.leavesOutCurve, "Leave out the runs on shares of the prompts"),
                    .flag("tune", \.tunes, "Try the grid of settings instead of making the table"),
                    .flag("quick", \.isMiniature, "A tiny world and a few steps, to see that everything runs"),
                    .value(
                        "threads",
                        \.threads,
                        in: .threads,
                        "Threads of each process; such small models gain nothing from more"
                    ),
                ]
            ),
            SettingGroup(
                "Another model",
                [
                    .optional(
                        "model",
                        \.model,
                        input: .model,
                        "The fine-tuned model to start from, in place of the pocket world's"
                    ),
                    .optional(
                        "prompts",
                        \.prompts,
                        input: .data,
                        "Prompts for pairs, for reinforcement learning and for comparing"
                    ),
                    .optional("gold", \.gold, input: .model, "The reward model whose score is the truth"),
                    .value(
                        "learning-rate-scale",
                        \.learningRateScale,
                        in: .positive,
                        "What all learning rates are multiplied by"
                    ),
                    .value("max-new-tokens", \.maxNewTokens, in: .tokens(), "The most tokens of a response"),
                ]
            ),
        ]
    }

    /// Throws where only some of model, prompts and gold are given, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !methods.isEmpty else {
            throw .combination("rto bench table needs a method: --methods \(TableMethod.noun)")
        }
        let given = [model, prompts, gold].count { $0 != nil }
        guard given == 0 || given == 3 else {
            throw .combination("--model, --prompts and --gold describe one task; give all of them or none")
        }
    }
}
