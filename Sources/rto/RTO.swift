import ArgumentParser
import Configuration
import Foundation

/// The command line: parse, call, print.
@main
struct RTO: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rto",
        abstract: "Align language models with Reinforced Token Optimization and the methods it is compared with.",
        discussion: "Start with 'rto quickstart'. Every command explains itself with --help.",
        version: programVersion,
        subcommands: [
            Quickstart.self, Train.self, Resume.self, Generate.self, Chat.self, Serve.self, Score.self, Pairs.self,
            Evaluate.self, Inspect.self, Report.self, Merge.self, Tokenize.self, Render.self, Bench.self, Doctor.self,
        ]
    )

    /// Runs the command of the process's arguments, and ends the process with its status.
    static func main() {
        // A reader that went away is an error where results are written, and no reason to end a run that only reports to it.
        signal(SIGPIPE, SIG_IGN)
        // So is a file that grows beyond what `ulimit -f` allows.
        signal(SIGXFSZ, SIG_IGN)
        keepStandardDescriptors()
        // A trap is a fault of the program; its sentence has been written when it arrives here.
        for number in [SIGILL, SIGTRAP, SIGABRT] { signal(number) { _ in _exit(ExitStatus.fault.rawValue) } }
        var arguments = Array(CommandLine.arguments.dropFirst())
        // Commands that read their own flags also write their own help.
        if arguments.first == "help" { arguments = arguments.dropFirst() + ["--help"] }
        do {
            try refuseUnknownCommands(arguments)
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            FailureReport(error).end()
        }
    }

    /// Takes the numbers of standard streams that are closed, so that no file comes by one.
    ///
    /// Such a file would get what is written to the stream. Using the stream stays an error: each is opened for what it is not used for.
    private static func keepStandardDescriptors() {
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is taken, and those below are open.
            _ = open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
