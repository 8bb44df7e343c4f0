/// Everything that `rto quickstart` needs to know.
public struct QuickstartConfiguration: Sendable, Equatable {
    /// The directory for the stages' runs and the report.
    public var output = "quickstart"
    /// The seed of every random choice.
    public var seed = 42
    /// How many threads compute; on models this small more than one spend their time waiting for each other.
    public var threads = 1

    /// Creates the defaults.
    public init() {}
}

extension QuickstartConfiguration: Configurable {
    /// "rto quickstart".
    public var command: String { "rto quickstart" }
    /// What the command does.
    public var overview: String {
        "The paper in a pocket: pretrain, fine-tune, learn preferences, then compare PPO and RTO. No input, no network."
    }
    /// The command with nothing given.
    public var defaults: QuickstartConfiguration { QuickstartConfiguration() }

    /// The settings, under one heading.
    public var groups: [SettingGroup<QuickstartConfiguration>] {
        [
            SettingGroup(
                "Options",
                [
                    .value("output", \.output, "The directory for runs and report"),
                    .value("seed", \.seed, in: .notNegative, "The seed of every random choice"),
                    .value("threads", \.threads, in: .threads, "Threads; such small models gain nothing from more"),
                ]
            )
        ]
    }

    /// Any combination is allowed.
    public func checkCombinations() throws(ConfigurationError) {}
}
