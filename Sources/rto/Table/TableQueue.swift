import Configuration
import Foundation

/// Does jobs in their order as far as what they need is there, several commands at the same time.
///
/// A run that diverged is noted and everything that needs it stays undone; any other failure ends the work.
struct TableQueue {
    private var waiting: [TableJob]
    private let count: Int
    private let commands: ConcurrentCommands
    private let say: (String) -> Void

    /// Jobs in the order in which they are wanted.
    init(_ jobs: [TableJob], _ commands: ConcurrentCommands, say: @escaping (String) -> Void) {
        waiting = jobs
        count = jobs.count
        self.commands = commands
        self.say = say
    }

    /// Does what can be done.
    mutating func run() throws {
        var started: [String: TableJob] = [:]
        try commands.run(
            next: {
                guard let (job, step) = try nextCommand() else { return nil }
                started[step.name] = job
                return step.command
            },
            ended: { command, status in
                guard status == .diverged, let job = started[command.name] else { return status == .success }
                try Data().write(to: URL(filePath: job.divergence))
                return true
            }
        )
    }

    /// The next command that can start; what can be done here on the way is done.
    private mutating func nextCommand() throws -> (TableJob, PipelineStep)? {
        waiting.removeAll(where: \.isOver)
        while let index = waiting.firstIndex(where: \.isReady) {
            let job = waiting.remove(at: index)
            switch job.work {
            case .here(let work): try work()
            case .command(let step):
                say("[\(count - waiting.count)/\(count)] \(step.title)")
                return (job, step)
            }
        }
        return nil
    }
}
