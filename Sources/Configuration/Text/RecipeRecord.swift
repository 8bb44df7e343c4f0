/// What a run's `recipe.yaml` says, as text: also where another version of this program wrote it, whose settings are others.
public struct RecipeRecord: Sendable {
    /// What was trained.
    public let stage: String
    /// The directory that relative paths start from, where one is recorded.
    public let workingDirectory: String?
    /// What computed, and its versions.
    public let versions: [Recipe.Version]
    /// The commits of repositories that no setting holds, as ``Recipe/hubCommits`` writes them.
    public let hubCommits: [String]
    /// The settings in their order, by their keys in files; nil stands for none.
    public let settings: [(key: String, value: String?)]

    /// Reads a recipe.
    ///
    /// - Throws: ``ConfigurationError`` where the file is missing, malformed or not a recipe.
    public init(path: String) throws(ConfigurationError) {
        let file = try ConfigurationFile(path: path)
        guard let stage = file.stage else { throw Recipe.isNone(path) }
        self.stage = stage
        (workingDirectory, versions, hubCommits) = (file.workingDirectory, file.versions, file.hubCommits)
        settings = file.entries.map { entry in
            let value: String? =
                switch entry.text {
                case .none: nil
                case .one(let text): text
                case .many(let texts): texts.isEmpty ? nil : texts.joined(separator: ", ")
                }
            return (fileKey(canonicalName(entry.key)), value)
        }
    }

    /// The value of a key, nil where it has none.
    public subscript(key: String) -> String? { settings.first { $0.key == key }?.value }
}
