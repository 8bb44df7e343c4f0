import Foundation

/// The text of `recipe.yaml`: a run's resolved configuration and what produced it.
///
/// `rto train STAGE --config RUN/recipe.yaml` reads it back; the keys of ``recordKeys`` are a record and set nothing.
public struct Recipe: Sendable, Equatable {
    /// The resolved configuration.
    public let configuration: TrainConfiguration
    /// The words of the command line, the program's name first.
    public let commandLine: [String]
    /// The directory that relative paths of the configuration start from.
    public var workingDirectory = FileManager.default.currentDirectoryPath
    /// What computes, this program first.
    public var versions: [Version]
    /// The commits that names stood for which no setting holds, since adapters name their bases by them: the name as it was written, and
    /// behind a last `@` its commit.
    public var hubCommits: [String] = []

    /// A component and its version.
    public struct Version: Sendable, Equatable {
        /// The component, in words that can be a YAML key.
        public let component: String
        /// Its version.
        public let version: String

        /// Creates the version of a component.
        public init(_ component: String, _ version: String) {
            self.component = component
            self.version = version
        }
    }

    /// The keys that record how a run was made, beside its settings.
    static let recordKeys: Set<String> = ["stage", "versions", "command_line", "working_directory", "hub_commits"]

    /// Creates a recipe.
    public init(configuration: TrainConfiguration, commandLine: [String], versions: [Version]) {
        self.configuration = configuration
        self.commandLine = commandLine
        self.versions = versions
    }

    /// The YAML document.
    public var text: String {
        var lines = [
            "# Run again: rto train \(configuration.stage.rawValue) --config THIS_FILE --output ANOTHER_DIRECTORY",
            "stage: \(configuration.stage.rawValue)",
            "command_line: [" + commandLine.map(YAMLText.quoted).joined(separator: ", ") + "]",
            "working_directory: " + YAMLText.quoted(workingDirectory),
            "versions:",
        ]
        if !hubCommits.isEmpty {
            lines.insert("hub_commits: [" + hubCommits.map(YAMLText.quoted).joined(separator: ", ") + "]", at: 4)
        }
        lines += versions.map { "  \(YAMLText.plainOrQuoted($0.component)): \(YAMLText.quoted($0.version))" }
        return lines.joined(separator: "\n") + "\n\n"
            + ConfigurationText.document(configuration, marksDifferences: false)
    }

    /// Reads back the configuration of a run's `recipe.yaml`.
    ///
    /// - Throws: ``ConfigurationError`` where the file is missing, malformed or not a recipe.
    public static func configuration(readingFrom path: String) throws(ConfigurationError) -> TrainConfiguration {
        try recorded(in: path).configuration
    }

    /// Reads back the configuration, the directory that its relative paths start from, where one is recorded, and the commits
    /// of repositories that its models stand on.
    ///
    /// - Throws: ``ConfigurationError`` where the file is missing, malformed or not a recipe.
    public static func recorded(
        in path: String
    ) throws(ConfigurationError) -> (configuration: TrainConfiguration, workingDirectory: String?, hubCommits: [String])
    {
        let file = try ConfigurationFile(path: path)
        guard let name = file.stage, let stage = Stage(rawValue: name) else {
            throw isNone(path)
        }
        let configuration = try SettingReader(defaults: TrainConfiguration(stage: stage)).configuration(from: [file])
        try configuration.checkCombinations()
        return (configuration, file.workingDirectory, file.hubCommits)
    }

    /// The error of a file that is no recipe.
    static func isNone(_ path: String) -> ConfigurationError {
        .badFile(path: path, line: nil, reason: "no stage, so this is not a recipe that rto wrote")
    }
}
