import Configuration
import Dispatch
import Foundation
import Synchronization

/// Commands of this program that run at the same time, each in a process of its own.
///
/// Models this small cannot keep two processors busy together, but two trainings can. What each process says appears
/// line by line behind the command's name. A signal to this process goes on to all of them, and everyone is waited for.
struct ConcurrentCommands {
    /// A command by the name that stands before its lines, and its words after the program's.
    struct Command {
        let name: String
        let words: [String]
    }

    let commands: [Command]

    /// How many commands of so many threads have a processor for each thread.
    static func limit(threads: Int) -> Int { max(1, ProcessInfo.processInfo.activeProcessorCount / max(1, threads)) }

    /// Runs all commands, and returns when the last one has ended.
    ///
    /// - Throws: ``QuickstartError`` after a signal, and where a command failed, which has said why by itself.
    func run() throws {
        let output = DispatchGroup()
        var processes: [(command: Command, process: Process)] = []
        // Processes inherit signals that are ignored, so they start first.
        do {
            for command in commands { processes.append((command, try start(command, output))) }
        } catch {
            for (_, process) in processes { process.terminate() }
            throw error
        }
        let signals = ForwardedSignals(to: processes.map(\.process))
        for (_, process) in processes { process.waitUntilExit() }
        output.wait()
        if let signal = signals.stop() {
            throw QuickstartError(
                "interrupted; give the same command again to go on",
                .interrupted(bySignal: signal)
            )
        }
        for (command, process) in processes
        where process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 {
            throw QuickstartError(
                "\(command.name) failed, see above; give the same command again to go on",
                process.terminationReason == .exit ? ExitStatus(rawValue: process.terminationStatus) : .fault
            )
        }
    }

    private func start(_ command: Command, _ output: DispatchGroup) throws -> Process {
        let process = Process()
        let link = "/proc/self/exe"
        let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? CommandLine.arguments[0]
        process.executableURL = URL(filePath: path)
        process.arguments = command.words
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardError = pipe
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

/// Passes the signals that end a program on to processes, until it is told to stop.
///
/// Processes started by Foundation are in groups of their own, so that a key of the terminal reaches this process alone.
private final class ForwardedSignals {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    private let sources: [any DispatchSourceSignal]
    private let received: Received

    private final class Received: Sendable {
        let signal = Atomic<Int32>(0)
    }

    init(to processes: [Process]) {
        let received = Received()
        let identifiers = processes.map(\.processIdentifier)
        self.received = received
        sources = Self.numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                received.signal.store(number, ordering: .relaxed)
                for identifier in identifiers { kill(identifier, number) }
            }
            source.resume()
            return source
        }
    }

    /// Lets signals do again what they did, and returns the last one that came.
    func stop() -> Int32? {
        for source in sources { source.cancel() }
        for number in Self.numbers { signal(number, SIG_DFL) }
        let signal = received.signal.load(ordering: .relaxed)
        return signal == 0 ? nil : signal
    }
}
