/// A configuration that a command line and files can fill in.
public protocol Configurable: Equatable, Sendable {
    /// The words that start the command: "rto train dpo".
    var command: String { get }
    /// One sentence that says what the command does.
    var overview: String { get }
    /// The same command with every setting at its default.
    var defaults: Self { get }
    /// Every setting of the command, in the order of its help.
    var groups: [SettingGroup<Self>] { get }
    /// Throws where settings are missing or do not fit together; each alone has been checked against its limits.
    func checkCombinations() throws(ConfigurationError)
    /// The commands that have a setting which this one has not; empty where no command has it.
    func commands(having name: String) -> [String]
}

extension Configurable {
    /// Every setting, without its groups.
    var settings: [Setting<Self>] { groups.flatMap(\.settings) }

    /// No other command shares settings.
    public func commands(having name: String) -> [String] { [] }

    /// Checks every setting against its limits and all of them together, for configurations made in code.
    public func check() throws(ConfigurationError) {
        var copy = self
        for setting in settings {
            let text = setting.text(self)
            // What must be given is empty until it is; `checkCombinations` names it.
            guard text != .none else { continue }
            do throws(ValueProblem) {
                try setting.assign(&copy, text)
            } catch {
                throw ConfigurationError(error, text: text, at: .commandLine(flag: "--" + setting.name))
            }
        }
        try checkCombinations()
    }
}

/// Settings that help shows under one heading.
public struct SettingGroup<Root: Sendable>: Sendable {
    /// The heading.
    public let title: String
    /// The settings.
    public let settings: [Setting<Root>]

    init(_ title: String, _ settings: [Setting<Root>]) {
        self.title = title
        self.settings = settings
    }
}

extension ConfigurationError {
    /// The error for a text that is not a value of the setting written at `origin`.
    init(_ problem: ValueProblem, text: SettingText, at origin: SettingOrigin) {
        let found =
            switch text {
            case .none: "none"
            case .one(let text): text
            case .many(let texts): "[" + texts.joined(separator: ", ") + "]"
            }
        self =
            switch problem {
            case .wrong(let expected): .badValue(origin, found: found, expected: expected)
            case .notAvailable(let instead): .notAvailable(origin, value: found, instead: instead)
            }
    }
}
