import ArgumentParser
import Configuration

/// `rto resume`.
struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on exactly where a run stopped."
    )

    @Argument(help: "The run directory.") var directory: String

    func run() throws {
        try engine.resume(run: directory)
    }
}

/// `rto generate`.
struct Generate: SettingsCommand {
    static let defaults = GenerateConfiguration()
    static let configuration = describe("generate")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: GenerateConfiguration) throws {
        try engine.generate(configuration)
    }
}

/// `rto score`.
struct Score: SettingsCommand {
    static let defaults = ScoreConfiguration()
    static let configuration = describe("score")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: ScoreConfiguration) throws {
        try engine.score(configuration)
    }
}

/// `rto pairs`.
struct Pairs: SettingsCommand {
    static let defaults = PairsConfiguration()
    static let configuration = describe("pairs")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: PairsConfiguration) throws {
        try engine.pairs(configuration)
    }
}

/// `rto merge`.
struct Merge: SettingsCommand {
    static let defaults = MergeConfiguration()
    static let configuration = describe("merge")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: MergeConfiguration) throws {
        try engine.merge(configuration)
    }
}

/// `rto bench`.
struct Bench: SettingsCommand {
    static let defaults = BenchConfiguration()
    static let configuration = describe("bench")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: BenchConfiguration) throws {
        try engine.bench(configuration)
    }
}

/// `rto quickstart`.
struct Quickstart: SettingsCommand {
    static let defaults = QuickstartConfiguration()
    static let configuration = describe("quickstart")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: QuickstartConfiguration) throws {
        try engine.quickstart(configuration)
    }
}

/// `rto doctor`.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Report versions, devices and threads, and whatever is wrong with its remedy."
    )

    @Flag(name: .customLong("json"), help: "Print one JSON object.") var asJSON = false

    func run() throws {
        try engine.doctor(asJSON: asJSON)
    }
}
