/// Everything that `rto evaluate win-rate` needs to know.
public struct WinRateConfiguration: Sendable, Equatable {
    /// The answers whose win rate is wanted.
    public var outputs = ""
    /// The answers they are compared with.
    public var reference = ""
    /// Who judges.
    public var judge = JudgeSettings()
    /// The number format and the device.
    public var compute = ComputeSettings()
    /// The seed of the bootstraps.
    public var seed = 42
    /// The directory for what is made.
    public var output = ""
    /// Print one JSON object instead of a table.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {}
}

extension WinRateConfiguration: Configurable, Judged, Computing {
    /// "rto evaluate win-rate".
    public var command: String { "rto evaluate win-rate" }
    /// What the command does.
    public var overview: String { "How often one file's answers beat another's, by any judge, with length control." }
    /// The command with nothing given.
    public var defaults: WinRateConfiguration { WinRateConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<WinRateConfiguration>] {
        [
            SettingGroup("Answers", Self.files),
            SettingGroup("Judging", Setting.judging + Setting.localJudges),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    private static var files: [Setting<Self>] {
        [
            .value("outputs", \.outputs, input: .file, "The answers whose win rate is wanted"),
            .value("reference", \.reference, input: .file, "The answers they are compared with"),
            .value("output", \.output, "The directory for annotations and report"),
            .value("seed", \.seed, in: .notNegative, "The seed of the bootstraps"),
            .flag("json", \.printsJSON, "Print one JSON object"),
        ]
    }

    /// Throws where what is needed is missing, or settings contradict each other.
    public func checkCombinations() throws(ConfigurationError) {
        guard !outputs.isEmpty, !reference.isEmpty, !output.isEmpty else {
            throw .combination("rto evaluate win-rate needs --outputs FILE, --reference FILE and --output DIRECTORY")
        }
        guard judge.count == 1 else {
            throw .combination(
                "rto evaluate win-rate needs one judge: --judge-url URL, --local-judge or --reward-model DIRECTORY"
            )
        }
        if judge.rewardModel == nil && judge.prompt == nil {
            throw .combination("judging needs the prompt that shows both answers: --judge-prompt FILE")
        }
    }
}
