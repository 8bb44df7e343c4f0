/// Everything that `rto evaluate alpaca-eval` needs to know.
public struct AlpacaEvalConfiguration: Sendable, Equatable {
    /// Stored annotations, instead of judging.
    public var annotations: String?
    /// The model's answers.
    public var outputs: String?
    /// The baseline's answers.
    public var reference: String?
    /// The instructions for ``generation``; nil takes those of ``reference``.
    public var evaluationSet: String?
    /// How the model answers, where it has not yet.
    public var generation = GenerateConfiguration()
    /// Who judges.
    public var judge = JudgeSettings()
    /// The model's name; nil takes that of its answers.
    public var name: String?
    /// The table of the instructions' difficulties.
    public var difficulty: String?
    /// The table of the gamed models' annotations.
    public var gamed: String?
    /// The strength C of the length-controlled fit; nil cross-validates.
    public var regularization: Double?
    /// The file with the table of folds; nil deals them out as the original does.
    public var folds: String?
    /// The directory for what is made.
    public var output: String?
    /// Print one JSON object instead of a table.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {
        generation.sampling.maxNewTokens = 2048
    }
}

extension AlpacaEvalConfiguration: Configurable, Judged, Answering, Computing {
    /// "rto evaluate alpaca-eval".
    public var command: String { "rto evaluate alpaca-eval" }
    /// What the command does.
    public var overview: String { "AlpacaEval 2: win rate and length-controlled win rate, stored or judged here." }
    /// The command with nothing given.
    public var defaults: AlpacaEvalConfiguration { AlpacaEvalConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<AlpacaEvalConfiguration>] {
        [
            SettingGroup("Answers and annotations", Self.files),
            SettingGroup("Length control", Self.lengthControl),
            SettingGroup("Judging", Setting.judging + Setting.prices + Setting.localJudges),
            SettingGroup("Answering", Setting.answering),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var files: [Setting<Self>] {
        [
            .optional("annotations", \.annotations, input: .file, "Stored annotations; none has the answers judged"),
            .optional("outputs", \.outputs, input: .file, "The model's answers (model_outputs.json)"),
            .optional("reference", \.reference, input: .file, "The baseline's answers, of the same form"),
            .optional("eval-set", \.evaluationSet, input: .file, "Instructions for --model; none is --reference's"),
            .optional("name", \.name, "The model's name; none is that of its answers"),
            .optional("output", \.output, "The directory for annotations, leaderboard and report"),
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    private static var lengthControl: [Setting<Self>] {
        [
            .optional(
                "difficulty",
                \.difficulty,
                input: .file,
                "The instructions' difficulties; none looks in the hub's cache"
            ),
            .optional("gamed", \.gamed, input: .file, "The gamed models' annotations; none looks in the hub's cache"),
            .optional("regularization", \.regularization, in: .positive, "The strength C; none cross-validates"),
            .optional("folds", \.folds, input: .file, "The fold of each row; none is GroupKFold's"),
        ]
    }

    /// Throws where what is needed is missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        if judge.count > 1 {
            throw .combination("--judge-url, --local-judge and --reward-model name several judges; give one")
        }
        if regularization != nil && folds != nil {
            throw .combination("--folds has an effect only without --regularization")
        }
        if judge.pricePerToken != nil && judge.url == nil {
            throw .combination("--judge-price is what a service takes; it has an effect only with --judge-url")
        }
        if annotations != nil {
            if judge.count > 0 || answers {
                throw .combination("--annotations are judged already; --model and the judges have no effect beside it")
            }
            return
        }
        guard judge.count == 1 else {
            throw .combination(
                "rto evaluate alpaca-eval needs --annotations FILE, or a judge: --judge-url URL, --local-judge or --reward-model"
            )
        }
        guard (outputs != nil) != answers else {
            throw .combination(
                "judging needs either the model's answers (--outputs FILE) or a model to answer (--model DIRECTORY)"
            )
        }
        guard reference != nil else { throw .combination("judging needs the baseline's answers: --reference FILE") }
        guard output != nil else {
            throw .combination("judging needs a directory for what it makes: --output DIRECTORY")
        }
        if judge.rewardModel == nil && judge.prompt == nil {
            throw .combination(
                "judging needs the prompt that AlpacaEval's annotator shows: --judge-prompt FILE (alpaca_eval_clf.txt of the "
                    + "package alpaca_eval)"
            )
        }
    }
}
