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

/// `rto chat`.
struct Chat: SettingsCommand {
    static let defaults = ChatConfiguration()
    static let configuration = describe("chat")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: ChatConfiguration) throws {
        try engine.chat(configuration)
    }
}

/// `rto serve`.
struct Serve: SettingsCommand {
    static let defaults = ServeConfiguration()
    static let configuration = describe("serve")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: ServeConfiguration) throws {
        try engine.serve(configuration)
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

/// `rto inspect`.
struct Inspect: SettingsCommand {
    static let defaults = InspectConfiguration()
    static let configuration = describe("inspect")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run(_ configuration: InspectConfiguration) throws {
        try engine.inspect(configuration)
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

/// `rto bench`, and `rto bench table`.
struct Bench: SettingsCommand {
    static let defaults = BenchConfiguration()
    static let configuration = describe("bench")

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() throws {
        guard arguments.first == Table.configuration.commandName else { return try runWithSettings() }
        try Table(arguments: Array(arguments.dropFirst())).run()
    }

    func run(_ configuration: BenchConfiguration) throws {
        try engine.bench(configuration)
    }

    /// `rto bench table`: its flags are read after the word, as those of every command.
    struct Table: SettingsCommand {
        static let defaults = TableConfiguration()
        static let configuration = describe("table")

        @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

        init() {}
        init(arguments: [String]) { self.arguments = arguments }

        func run(_ configuration: TableConfiguration) throws {
            try engine.table(configuration)
        }
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
