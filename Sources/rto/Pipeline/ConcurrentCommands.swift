import Configuration
import Dispatch
import Foundation
import Synchronization

/// Commands of this program, each in a process of its own, several at the same time.
///
/// Models this small cannot keep two processors busy together, but two trainings can. What each process says appears
/// line by line behind the command's name. A signal to this process goes on to all of them, and everyone is waited for.
struct ConcurrentCommands {
    /// A command by the name that stands before its lines, and its words after the program's.
    struct Command {
        let name: String
        let words: [String]
    }

    /// How many run at a time.
    let limit: Int
    /// The program whose commands they are.
    var program = Self.thisProgram
    /// What they find in their environment beside what this process has there.
    var environment: [String: String] = [:]

    /// How many commands of so many threads have a processor for each thread.
    static func limit(threads: Int) -> Int { max(1, ProcessInfo.processInfo.activeProcessorCount / max(1, threads)) }

    /// Runs commands that are all there from the beginning, and returns when the last one has ended.
    ///
    /// - Throws: ``PipelineError`` after a signal, and where a command failed, which has said why by itself.
    func run(_ commands: [Command]) throws {
        var waiting = commands[...]
        try run(next: { waiting.popFirst() })
    }

    /// Runs commands until there is none left, and returns when the last one has ended.
    ///
    /// - Parameters:
    ///   - next: a command that can start now; asked when there is room for one, again whenever one has ended
    ///   - ended: is told of every command that ended by itself, with its status; where it returns `false` nothing more is
    ///     started and the others are waited for
    /// - Throws: ``PipelineError`` after a signal and where a command failed, and what the closures throw.
    func run(
        next: () throws -> Command?,
        ended: (Command, ExitStatus) throws -> Bool = { _, status in status == .success }
    ) throws {
        let output = DispatchGroup()
        let change = DispatchSemaphore(value: 0)
        let signals = CaughtSignals()
        defer { signals.release() }
        var running: [(command: Command, process: Process)] = []
        var failure: (any Error)?
        while true {
            do {
                while failure == nil, signals.received == nil, running.count < limit, let command = try next() {
                    running.append((command, try start(command, output, change)))
                }
                guard !running.isEmpty else { break }
                // A signal wakes nobody, so the wait is short.
                _ = change.wait(timeout: .now() + .milliseconds(100))
                if let signal = signals.unforwarded() {
                    for (_, process) in running { kill(process.processIdentifier, signal) }
                }
                let over = running.filter { !$0.process.isRunning }
                running.removeAll { entry in over.contains { $0.process === entry.process } }
                for (command, process) in over where signals.received == nil {
                    let status = Self.status(of: process)
                    if try !ended(command, status) { throw Self.failure(of: command, status) }
                }
            } catch {
                failure = failure ?? error
            }
        }
        output.wait()
        if let signal = signals.received {
            throw PipelineError("interrupted; give the same command again to go on", .interrupted(bySignal: signal))
        }
        if let failure { throw failure }
    }

    /// The program that this process runs.
    static var thisProgram: URL {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments[0])
    }

    private static func status(of process: Process) -> ExitStatus {
        process.terminationReason == .exit ? ExitStatus(rawValue: process.terminationStatus) : .fault
    }

    private static func failure(of command: Command, _ status: ExitStatus) -> PipelineError {
        PipelineError("\(command.name) failed, see above; give the same command again to go on", status)
    }

    private func start(_ command: Command, _ output: DispatchGroup, _ change: DispatchSemaphore) throws -> Process {
        let process = Process()
        process.executableURL = program
        process.arguments = command.words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardError = pipe
        process.terminationHandler = { _ in change.signal() }
        try process.run()
        let reader = pipe.fileHandleForReading
        DispatchQueue.global().async(group: output) {
            var rest = Data()
            while case let piece = reader.availableData, !piece.isEmpty {
                rest += piece
                rest = Self.writeLines(of: rest, after: command.name)
            }
        }
        return process
    }

    /// Writes the whole lines of a text, each behind a name, and returns what follows the last one.
    private static func writeLines(of text: Data, after name: String) -> Data {
        guard let end = text.lastIndex(of: UInt8(ascii: "\n")) else { return text }
        let lines = text[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let named = lines.map { "\(name): " + String(decoding: $0, as: UTF8.self) + "\n" }.joined()
        // Nobody is told where nobody listens.
        try? FileHandle.standardError.write(contentsOf: Data(named.utf8))
        return Data(text[(end + 1)...])
    }
}

/// Why a pipeline of commands could not begin or go on.
struct PipelineError: ExitStatusProviding, CustomStringConvertible {
    /// One sentence: what, where, what to do.
    let description: String
    let exitStatus: ExitStatus

    init(_ description: String, _ exitStatus: ExitStatus = .data) {
        self.description = description
        self.exitStatus = exitStatus
    }
}

/// Keeps the signals that end a program from ending it, until they are let go.
///
/// Processes started by Foundation are in groups of their own, so that a key of the terminal reaches this process alone. They
/// do not inherit what a handler does.
private final class CaughtSignals {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    private static let latest = Atomic<Int32>(0)
    private static let count = Atomic<Int>(0)
    private var forwarded = 0

    init() {
        Self.latest.store(0, ordering: .relaxed)
        Self.count.store(0, ordering: .relaxed)
        for number in Self.numbers {
            signal(number) { number in
                CaughtSignals.latest.store(number, ordering: .relaxed)
                CaughtSignals.count.add(1, ordering: .relaxed)
            }
        }
    }

    /// The latest signal that came, if any.
    var received: Int32? {
        let number = Self.latest.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// A signal that came since the last question.
    func unforwarded() -> Int32? {
        let arrived = Self.count.load(ordering: .relaxed)
        defer { forwarded = arrived }
        return arrived > forwarded ? received : nil
    }

    /// Lets signals do again what they did.
    func release() { for number in Self.numbers { signal(number, SIG_DFL) } }
}
