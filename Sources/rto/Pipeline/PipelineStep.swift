import Configuration
import Foundation
import Training

/// One command of a pipeline, which is over when the file that it leaves last is there.
struct PipelineStep {
    enum Work {
        case train(TrainConfiguration)
        case generate(GenerateConfiguration)
    }

    /// The heading that announces it.
    let title: String
    /// What stands before its lines where several run at once.
    let name: String
    let work: Work

    init(_ title: String, training configuration: TrainConfiguration, name: String? = nil) {
        self.title = title
        self.name = name ?? configuration.stage.rawValue
        work = .train(configuration)
    }

    init(_ title: String, sampling configuration: GenerateConfiguration, name: String) {
        self.title = title
        self.name = name
        work = .generate(configuration)
    }

    /// What the command leaves last.
    var product: String {
        switch work {
        case .train(let configuration): configuration.loop.output + "/config.json"
        case .generate(let configuration): configuration.output ?? ""
        }
    }

    /// What a person would type.
    var words: [String] {
        switch work {
        case .train(let configuration): CommandLineText.words(namingInputs(configuration))
        case .generate(let configuration): CommandLineText.words(namingInputs(configuration))
        }
    }

    /// The command as a process of its own, which goes on with a run that was begun.
    var command: ConcurrentCommands.Command {
        .init(name: name, words: begunRun.map { ["resume", $0] } ?? Array(words.dropFirst()))
    }

    private var begunRun: String? {
        guard case .train(let configuration) = work else { return nil }
        let run = configuration.loop.output
        return FileManager.default.fileExists(atPath: run + "/recipe.yaml") ? run : nil
    }

    /// Does in this process what the command does.
    func run() throws {
        switch work {
        case .train(let configuration): try train(configuration)
        case .generate(let configuration):
            try configuration.check()
            try configuration.checkInputs()
            try Training.generate(configuration)
        }
    }

    private func train(_ configuration: TrainConfiguration) throws {
        try configuration.check()
        try configuration.checkInputs()
        // Training stops at a signal when it has written a checkpoint; all else is whole or absent whenever it is stopped.
        defer { for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) } }
        do {
            if let begunRun { return try Training.resume(run: begunRun) }
            try Training.train(
                configuration,
                recipe: Recipe(
                    configuration: configuration,
                    commandLine: words,
                    versions: [Recipe.Version("rto", programVersion)]
                )
            )
        } catch let error as TrainingError where error.exitStatus.rawValue > 128 {
            throw PipelineError("interrupted; give the same command again to go on", error.exitStatus)
        }
    }
}
