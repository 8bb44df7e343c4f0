import ArgumentParser
import Configuration
import Foundation
import Training

/// The one place where an error becomes text and an exit status.
struct FailureReport {
    /// What is written; to standard output when the person asked for it (help, version), else to standard error.
    let text: String
    let status: ExitStatus

    init(_ error: any Error) {
        if let error = error as? any ExitStatusProviding {
            text = Self.sentence(error)
            status = error.exitStatus
        } else if RTO.exitCode(for: error) == .success {
            text = RTO.fullMessage(for: error)
            status = .success
        } else if RTO.exitCode(for: error) == .validationFailure {
            text = "rto: " + RTO.message(for: error)
            status = .usage
        } else {
            text = Self.sentence(error)
            status = .data
        }
    }

    /// Writes the text and ends the process.
    func end() -> Never {
        guard !text.isEmpty else { exit(status.rawValue) }
        if status == .success {
            do { try writeToStandardOutput(text + "\n") } catch { FailureReport(error).end() }
        } else {
            try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
        }
        exit(status.rawValue)
    }

    private static func sentence(_ error: any Error) -> String {
        // Foundation's errors describe themselves for people only in `localizedDescription`.
        let isFoundations = error is CocoaError || error is POSIXError || type(of: error) is NSError.Type
        // It may quote a file or a command line, and is read at a terminal.
        return harmlessText("rto: " + (isFoundations ? error.localizedDescription : "\(error)"))
    }
}
