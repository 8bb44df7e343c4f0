import ArgumentParser
import Configuration
import Training

/// A command whose flags are the settings of a configuration, which reads them itself.
protocol SettingsCommand: ParsableCommand {
    associatedtype Configuration: Configurable
    /// The configuration with every setting at its default.
    static var defaults: Configuration { get }
    /// The words after the command.
    var arguments: [String] { get }
    /// Does what the command is for, with settings that have been checked.
    func run(_ configuration: Configuration) throws
}

extension SettingsCommand {
    static func describe(_ name: String) -> CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: defaults.overview, helpNames: [])
    }

    func run() throws { try runWithSettings() }

    /// Reads the settings and does what they ask for.
    func runWithSettings() throws {
        let reading = try SettingReader(defaults: Self.defaults).reading(arguments)
        switch reading.request {
        case .help:
            try writeToStandardOutput(HelpText.text(for: Self.defaults))
        case .printedConfiguration(let configuration):
            try writeToStandardOutput(ConfigurationText.printed(configuration))
        case .run(let configuration):
            try run(locatingInputs(configuration, commits: reading.hubCommits))
        }
    }
}
