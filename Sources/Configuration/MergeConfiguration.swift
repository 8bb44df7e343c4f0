/// Everything that `rto merge` needs to know.
public struct MergeConfiguration: Sendable, Equatable {
    /// The directory of the adapter.
    public var model = ""
    /// The base model, in the place of the one that the adapter names.
    public var base: String?
    /// The directory to write.
    public var output = ""
    /// The number format of the written weights, and where they are computed; merging itself is in float32.
    public var compute = ComputeSettings()
    /// Print one JSON object instead of a line.
    public var printsJSON = false

    /// Creates the defaults.
    public init() {}
}

extension MergeConfiguration: Configurable, Computing {
    /// "rto merge".
    public var command: String { "rto merge" }
    /// What the command does.
    public var overview: String { "Add an adapter to its base model, and write the whole model." }
    /// The command with nothing given.
    public var defaults: MergeConfiguration { MergeConfiguration() }

    /// The settings, by heading.
    public var groups: [SettingGroup<MergeConfiguration>] {
        [
            SettingGroup(
                "Models",
                [
                    .value("model", \.model, input: .model, "The PEFT adapter to merge"),
                    .optional("base", \.base, input: .model, "A base model instead of the one that the adapter names"),
                    .value("output", \.output, "The directory to write, new or empty"),
                    .flag("json", \.printsJSON, "Print one JSON object"),
                ]
            ),
            SettingGroup("Computing", Setting.compute),
        ]
    }

    /// Throws where a directory is missing.
    public func checkCombinations() throws(ConfigurationError) {
        guard !model.isEmpty else { throw .combination("rto merge needs an adapter: --model DIRECTORY") }
        guard !output.isEmpty else { throw .combination("rto merge needs a place for the model: --output DIRECTORY") }
    }
}
