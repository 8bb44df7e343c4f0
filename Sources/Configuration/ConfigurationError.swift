/// What is wrong with a setting, a configuration file or a combination of settings.
public enum ConfigurationError: Error, Equatable, Sendable {
    /// No setting of this command has the name; `nearest` is the likeliest one, spelled as `origin` spells names.
    case unknownSetting(SettingOrigin, nearest: String)
    /// The setting exists, but for other commands.
    case inapplicable(SettingOrigin, command: String, elsewhere: [String])
    /// The value is one that other programs have and this one has not.
    case notAvailable(SettingOrigin, value: String, instead: String)
    /// The split of a data set is asked for by a setting of its own, as other programs have it.
    case splitApart(SettingOrigin)
    /// A program to report to is asked for by a setting of its own, as OpenRLHF has it.
    case reporterApart(SettingOrigin)
    /// The text is not a value of the setting.
    case badValue(SettingOrigin, found: String, expected: String)
    /// A flag that takes a value came last or was followed by another flag.
    case missingValue(SettingOrigin, expected: String)
    /// A word that belongs to no flag.
    case strayArgument(String, command: String)
    /// Settings that are needed, or do not fit together: the whole sentence.
    case combination(String)
    /// A configuration file could not be read or is not YAML of the right shape.
    case badFile(path: String, line: Int?, reason: String)
    /// A file or directory that a setting names does not exist.
    case missingInput(setting: String, path: String)
}

extension ConfigurationError: CustomStringConvertible {
    /// One sentence: where, what, and what to do.
    public var description: String {
        switch self {
        case .unknownSetting(let origin, let nearest):
            "\(origin.location)unknown \(origin.noun) \(origin.spelling); did you mean \(nearest)?"
        case .inapplicable(let origin, let command, let elsewhere):
            "\(origin.location)\(origin.spelling) does not apply to \(command), only to \(joined(elsewhere))"
        case .notAvailable(let origin, let value, let instead):
            "\(origin.location)\(origin.spelling) \(value) is not available; \(instead)"
        case .splitApart(let origin):
            "\(origin.location)\(origin.spelling): the split stands behind the directory, as in --data DIRECTORY:train_prefs"
        case .reporterApart(let origin):
            "\(origin.location)\(origin.spelling): metrics are reported by \(origin.spelled("report-to")), to tensorboard alone"
        case .badValue(let origin, let found, let expected):
            "\(origin.location)\(origin.spelling) wants \(expected), not '\(found)'"
        case .missingValue(let origin, let expected):
            "\(origin.location)\(origin.spelling) wants \(expected) after it"
        case .strayArgument(let word, let command):
            "unexpected argument '\(word)'; \(command) takes flags only (see \(command) --help)"
        case .combination(let sentence):
            sentence
        case .badFile(let path, let line, let reason):
            path + (line.map { ":\($0)" } ?? "") + ": " + reason
        case .missingInput(let setting, let path):
            "--\(setting): there is no \(path)"
        }
    }
}

extension ConfigurationError: ExitStatusProviding {
    /// Bad data for files that are missing or malformed, wrong usage for everything else.
    public var exitStatus: ExitStatus {
        switch self {
        case .badFile, .missingInput: .data
        default: .usage
        }
    }
}

/// Where a setting's value was written, and how its name was spelled there.
public enum SettingOrigin: Equatable, Sendable {
    /// On the command line, with the flag as typed, dashes included.
    case commandLine(flag: String)
    /// In a configuration file, with the key as written there.
    case file(path: String, line: Int?, key: String)

    var spelling: String {
        switch self {
        case .commandLine(let flag): flag
        case .file(_, _, let key): key
        }
    }

    var noun: String {
        switch self {
        case .commandLine: "flag"
        case .file: "key"
        }
    }

    /// "recipe.yaml:3: " for a file, nothing for the command line.
    var location: String {
        switch self {
        case .commandLine: ""
        case .file(let path, let line, _): path + (line.map { ":\($0)" } ?? "") + ": "
        }
    }

    /// The canonical name as this origin would spell it: `--learning-rate`, or `learning_rate` in a file.
    func spelled(_ name: String) -> String {
        switch self {
        case .commandLine: "--" + name
        case .file: fileKey(name)
        }
    }
}

/// The key under which a configuration file holds a setting: `learning_rate` for `learning-rate`.
func fileKey(_ name: String) -> String {
    String(name.map { $0 == "-" ? "_" : $0 })
}

/// Words as a sentence lists them: "a", "a and b", "a, b and c".
func joined(_ words: [String], with conjunction: String = "and") -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}
