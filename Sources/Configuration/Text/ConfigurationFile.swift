import Yams

/// The settings written in a YAML file: one mapping of names to values or lists.
struct ConfigurationFile {
    /// The path as given.
    let path: String
    /// The stage that a recipe records.
    private(set) var stage: String?
    /// The directory that a recipe's relative paths start from.
    private(set) var workingDirectory: String?
    /// The versions that a recipe records.
    private(set) var versions: [Recipe.Version] = []
    /// The commits that a recipe records of repositories that no setting names.
    private(set) var hubCommits: [String] = []
    /// The settings in the order of the file.
    private(set) var entries: [Entry] = []

    /// A key, its value, and the line of the key.
    struct Entry {
        let key: String
        let text: SettingText
        let line: Int?
    }

    /// Reads the file.
    ///
    /// - Throws: ``ConfigurationError`` where the file is missing, is not YAML, or is not a flat mapping.
    init(path: String) throws(ConfigurationError) {
        try self.init(path: path, text: textFile(path))
    }

    /// Reads the text of a file.
    init(path: String, text: String) throws(ConfigurationError) {
        self.path = path
        guard let root = try Self.compose(text, path: path) else { return }
        guard let mapping = root.mapping else {
            throw .badFile(
                path: path,
                line: root.mark?.line,
                reason: "settings are written as 'name: value', one a line"
            )
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw .badFile(path: path, line: key.mark?.line, reason: "the name of a setting must be a word")
            }
            try read(value, named: name, line: key.mark?.line)
        }
    }

    private mutating func read(_ value: Node, named name: String, line: Int?) throws(ConfigurationError) {
        let recorded = canonicalName(name) == name ? name : fileKey(name)
        if Recipe.recordKeys.contains(recorded) {
            if recorded == "stage" { stage = value.scalar?.string }
            if recorded == "working_directory" { workingDirectory = value.scalar?.string }
            if recorded == "versions" {
                versions = (value.mapping ?? [:]).compactMap { component, version in
                    guard let component = component.scalar, let version = version.scalar else { return nil }
                    return Recipe.Version(component.string, version.string)
                }
            }
            if recorded == "hub_commits" {
                guard let entries = value.sequence?.map(\.scalar?.string), !entries.contains(nil) else {
                    throw .badFile(path: path, line: line, reason: "hub_commits must be a list of names with commits")
                }
                hubCommits = entries.compactMap(\.self)
            }
            return
        }
        if let sequence = value.sequence {
            var texts: [String] = []
            for element in sequence {
                guard let scalar = element.scalar else { throw nested(name, line: line) }
                texts.append(scalar.string)
            }
            entries.append(Entry(key: name, text: .many(texts), line: line))
        } else if let scalar = value.scalar {
            let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            entries.append(Entry(key: name, text: isNull ? .none : .one(scalar.string), line: line))
        } else {
            throw nested(name, line: line)
        }
    }

    private func nested(_ name: String, line: Int?) -> ConfigurationError {
        .badFile(path: path, line: line, reason: "\(name) must be a value or a list of values, not a section")
    }

    private static func compose(_ text: String, path: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw .badFile(path: path, line: mark.line, reason: "not valid YAML: \(problem)")
            case .duplicatedKeysInMapping(let duplicates, _):
                let keys = duplicates.sorted().joined(separator: ", ")
                throw .badFile(path: path, line: nil, reason: "\(keys) is set more than once")
            case .reader(let problem, _, _, _):
                throw .badFile(path: path, line: nil, reason: "not valid YAML: \(problem)")
            default:
                throw .badFile(path: path, line: nil, reason: "not valid YAML")
            }
        } catch {
            throw .badFile(path: path, line: nil, reason: "not valid YAML: \(error)")
        }
    }
}
