import Foundation
import TestSupport
import Testing

extension TemporaryDirectory {
    /// Starts a script in this directory, to which the program beside the tests is known as `$RTO`.
    func shell(_ script: String, _ environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = url
        process.environment = ProcessInfo.processInfo.environment.merging(["RTO": try builtProgram().path]) { $1 }
            .merging(environment) { $1 }
        try process.run()
        return process
    }

    /// The status with which such a script ends.
    func run(_ script: String, _ environment: [String: String] = [:]) throws -> Int32 {
        let process = try shell(script, environment)
        process.waitUntilExit()
        return process.terminationStatus
    }
}
