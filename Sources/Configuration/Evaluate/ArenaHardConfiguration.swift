/// Everything that `rto evaluate arena-hard` needs to know.
public struct ArenaHardConfiguration: Sendable, Equatable {
    /// Stored judgments: files or directories.
    public var judgments: [String] = []
    /// Answers of models and baseline: files or directories.
    public var answerFiles: [String] = []
    /// The baseline; nil takes the benchmark's.
    public var baseline: String?
    /// The questions, for judging.
    public var questions: String?
    /// Expanded battles of v0.1, instead of judgments.
    public var battles: String?
    /// Counts of tokens and markdown, instead of answers.
    public var styleMetadata: String?
    /// The tokenizer that counts tokens where an answer's are not stored.
    public var tokenizer: String?
    /// The category of v2.0.
    public var category: String?
    /// Which differences in style are controlled for.
    public var style = ArenaHardStyle.all
    /// How the model answers, where it has not yet.
    public var generation = GenerateConfiguration()
    /// Who judges.
    public var judge = JudgeSettings()
    /// The model that is judged; nil takes that of ``generation``.
    public var name: String?
    /// The directory for what is made.
    public var output: String?
    /// Print one JSON object instead of a table.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {
        generation.sampling.maxNewTokens = 4096
    }
}

/// Which differences in style Arena-Hard controls for.
public enum ArenaHardStyle: String, SettingChoice {
    case all, length, markdown
}

extension ArenaHardConfiguration: Configurable, Judged, Answering, Computing {
    /// "rto evaluate arena-hard".
    public var command: String { "rto evaluate arena-hard" }
    /// What the command does.
    public var overview: String { "Arena-Hard v0.1 and v2.0: raw and style-controlled scores, stored or judged here." }
    /// The command with nothing given.
    public var defaults: ArenaHardConfiguration { ArenaHardConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<ArenaHardConfiguration>] {
        [
            SettingGroup("Judgments and answers", Self.files),
            SettingGroup("Judging", Setting.judging),
            SettingGroup("Answering", Setting.answering),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var files: [Setting<Self>] {
        [
            .list("judgments", \.judgments, input: .file, "Stored judgments, files or directories; may be repeated"),
            .optional("battles", \.battles, input: .file, "Battles of v0.1 instead of judgments"),
            .list("answers", \.answerFiles, input: .file, "Answers of models and baseline; may be repeated"),
            .optional("style-metadata", \.styleMetadata, input: .file, "Counts of the answers instead of the answers"),
            .optional(
                "tokenizer",
                \.tokenizer,
                input: .tokenizer,
                "What counts tokens where answers do not hold the count"
            ),
            .optional("baseline", \.baseline, "The baseline; none is the benchmark's"),
            .optional("category", \.category, "The category of v2.0, where there are several"),
            .value("style", \.style, "The differences in style to control for; all but 'all' are v0.1's"),
            .optional("questions", \.questions, input: .file, "The questions, for judging and answering"),
            .optional("name", \.name, "The model to judge; none is --model's name"),
            .optional("output", \.output, "The directory for answers, judgments and report"),
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    /// Throws where what is needed is missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        let sources = [!judgments.isEmpty, battles != nil, judge.url != nil].count { $0 }
        guard sources == 1 else {
            throw .combination("rto evaluate arena-hard needs one of --judgments, --battles and --judge-url")
        }
        if !answerFiles.isEmpty && styleMetadata != nil {
            throw .combination("--answers and --style-metadata say twice what the answers' style is; give one of them")
        }
        guard judge.url != nil else {
            if answers { throw .combination("--model answers only for a judge: --judge-url URL") }
            return
        }
        guard questions != nil, judge.prompt != nil, output != nil, !answerFiles.isEmpty else {
            throw .combination(
                "judging needs --questions FILE, --answers with the baseline's, --judge-prompt FILE (the settings of the "
                    + "judge: system prompts and template) and --output DIRECTORY"
            )
        }
        guard (name != nil) != answers else {
            throw .combination("judging needs either the --name of a model among --answers or a --model to answer")
        }
    }
}
