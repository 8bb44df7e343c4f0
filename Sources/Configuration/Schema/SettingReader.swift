/// Reads a command line, and the files it names, into a configuration.
public struct SettingReader<Root: Configurable> {
    private let defaults: Root
    private let names: SettingNames<Root>

    /// What a command line asks for.
    public enum Request: Equatable {
        /// The command's help.
        case help
        /// The resolved configuration as text.
        case printedConfiguration(Root)
        /// To run the command.
        case run(Root)
    }

    /// What a command line asks for, and what the files that it names record beside settings.
    public struct Reading {
        /// What is asked for.
        public let request: Request
        /// The commits of repositories that recipes among the files record, as ``Recipe/hubCommits`` writes them.
        public let hubCommits: [String]
    }

    /// A value and where it was written.
    private struct Assignment {
        let setting: Setting<Root>
        var text: SettingText
        let origin: SettingOrigin
    }

    /// Creates a reader of the command's settings, which start at their defaults.
    public init(defaults: Root) {
        self.defaults = defaults
        names = SettingNames(defaults)
    }

    /// Reads the words after the command.
    ///
    /// Files come first, in their order, and flags override them. A configuration to run has been checked as a whole.
    public func read(_ arguments: [String]) throws(ConfigurationError) -> Request { try reading(arguments).request }

    /// The same, with what the files record.
    public func reading(_ arguments: [String]) throws(ConfigurationError) -> Reading {
        var files: [ConfigurationFile] = []
        var flags: [Assignment] = []
        var printsConfiguration = false
        var words = FlagWords(arguments, command: defaults.command)
        while let word = try words.next() {
            switch canonicalName(word.name) {
            case "help", "h": return Reading(request: .help, hubCommits: [])
            case "print-config": printsConfiguration = true
            case "config": files.append(try ConfigurationFile(path: try words.value(of: word, expected: "a YAML file")))
            default: collect(try assignment(word, &words), into: &flags)
            }
        }
        let configuration = try apply(flags, to: try self.configuration(from: files))
        let commits = files.flatMap(\.hubCommits)
        if printsConfiguration { return Reading(request: .printedConfiguration(configuration), hubCommits: commits) }
        try configuration.checkCombinations()
        return Reading(request: .run(configuration), hubCommits: commits)
    }

    /// The defaults, overridden by the files in their order.
    func configuration(from files: [ConfigurationFile]) throws(ConfigurationError) -> Root {
        var configuration = defaults
        for file in files {
            if let stage = file.stage, "rto train " + stage != defaults.command {
                throw .combination("\(file.path) is the recipe of rto train \(stage), not of \(defaults.command)")
            }
            var assignments: [Assignment] = []
            for entry in file.entries {
                let origin = SettingOrigin.file(path: file.path, line: entry.line, key: entry.key)
                let (setting, isNegated) = try names.find(entry.key, at: origin)
                let text = isNegated ? try negated(entry.text, at: origin) : entry.text
                assignments.append(Assignment(setting: setting, text: text, origin: origin))
            }
            configuration = try apply(assignments, to: configuration)
        }
        return configuration
    }

    /// The value of one flag, taking the next word where the flag wants one.
    private func assignment(_ word: FlagWords.Word, _ words: inout FlagWords) throws(ConfigurationError) -> Assignment {
        let origin = SettingOrigin.commandLine(flag: word.flag)
        let (setting, isNegated) = try names.find(word.name, at: origin)
        guard setting.form == .flag else {
            let value = try words.value(of: word, expected: setting.expectation)
            return Assignment(setting: setting, text: .one(value), origin: origin)
        }
        let text = SettingText.one(word.value ?? words.truthValue() ?? "true")
        return Assignment(setting: setting, text: isNegated ? try negated(text, at: origin) : text, origin: origin)
    }

    /// Adds a flag's value; the values of a repeated flag become one list, which `none` empties.
    private func collect(_ assignment: Assignment, into flags: inout [Assignment]) {
        guard case .list = assignment.setting.form, case .one(let value) = assignment.text,
            let earlier = flags.firstIndex(where: { $0.setting.name == assignment.setting.name })
        else { return flags.append(assignment) }
        switch flags[earlier].text {
        case _ where value == "none", .one("none"): flags[earlier].text = .one(value)
        case .one(let first): flags[earlier].text = .many([first, value])
        case .many(let values): flags[earlier].text = .many(values + [value])
        case .none: flags[earlier].text = .one(value)
        }
    }

    private func negated(_ text: SettingText, at origin: SettingOrigin) throws(ConfigurationError) -> SettingText {
        do throws(ValueProblem) {
            guard case .one(let word) = text else { throw .wrong(expected: Bool.noun) }
            return .one((try !Bool(settingText: word)).settingText)
        } catch {
            throw ConfigurationError(error, text: text, at: origin)
        }
    }

    /// Sets the values in the order in which settings are declared, since one may bring the default of a later one with it.
    private func apply(_ assignments: [Assignment], to configuration: Root) throws(ConfigurationError) -> Root {
        var configuration = configuration
        for setting in configuration.settings {
            for assignment in assignments where assignment.setting.name == setting.name {
                let isNone = setting.isOptional && assignment.text == .one("none")
                do throws(ValueProblem) {
                    try setting.assign(&configuration, isNone ? .none : assignment.text)
                } catch {
                    throw ConfigurationError(error, text: assignment.text, at: assignment.origin)
                }
            }
        }
        return configuration
    }
}

/// The words of a command line, read as flags and their values.
private struct FlagWords {
    private let words: [String]
    private let command: String
    private var position = 0

    /// A flag as typed, and the value that was written with `=`.
    struct Word {
        /// The flag with its dashes.
        let flag: String
        /// The flag without them.
        let name: String
        /// What follows `=`.
        let value: String?
    }

    init(_ words: [String], command: String) {
        self.words = words
        self.command = command
    }

    /// The next word, which must be a flag.
    mutating func next() throws(ConfigurationError) -> Word? {
        guard position < words.count else { return nil }
        let word = words[position]
        position += 1
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let flag = String(parts[0])
        let name = String(flag.drop { $0 == "-" })
        guard flag.hasPrefix("--") || flag == "-h", !name.isEmpty else {
            throw .strayArgument(word, command: command)
        }
        return Word(flag: flag, name: name, value: parts.count == 2 ? String(parts[1]) : nil)
    }

    /// The value of a flag: what follows `=`, else the next word unless that is a flag.
    mutating func value(of word: Word, expected: String) throws(ConfigurationError) -> String {
        if let value = word.value { return value }
        guard position < words.count, !words[position].hasPrefix("--") else {
            throw .missingValue(.commandLine(flag: word.flag), expected: expected)
        }
        position += 1
        return words[position - 1]
    }

    /// The next word if it is `true` or `false`, as Hugging Face's programs want it after a flag.
    mutating func truthValue() -> String? {
        guard position < words.count, ["true", "false"].contains(words[position].lowercased()) else { return nil }
        position += 1
        return words[position - 1]
    }
}
