import Configuration
import Foundation
import TestSupport
import Testing

@testable import rto

@Suite struct TableQueueTests {
    private func training(_ output: String) -> TrainConfiguration {
        var training = TrainConfiguration(stage: .sft)
        training.loop.output = output
        return training
    }

    @Test("Jobs wait for what they need, what is done is left alone, and what cannot be done stays undone")
    func order() throws {
        let place = try TemporaryDirectory()
        let path = { (name: String) in place.url.appending(path: name).path }
        try place.write("old", "")
        let lost = TableJob(PipelineStep("lost", training: training(path("lost")), name: "lost"), needs: [])
        try place.write("lost.diverged", "")
        final class Log { var names: [String] = [] }
        let log = Log()
        func job(_ name: String, needs: [String]) -> TableJob {
            TableJob(name, needs: needs.map(path), product: path(name)) {
                log.names.append(name)
                try Data().write(to: URL(filePath: path(name)))
            }
        }
        var queue = TableQueue(
            [
                job("third", needs: ["second"]), job("second", needs: ["first"]), job("first", needs: ["old"]),
                job("old", needs: []), lost, job("follower", needs: ["lost/config.json"]),
                TableJob("last", needs: [], after: [path("lost/config.json")], product: path("last")) {
                    log.names.append("last")
                },
            ],
            ConcurrentCommands(limit: 1),
            say: { _ in }
        )
        try queue.run()
        #expect(log.names == ["first", "second", "third", "last"])
    }

    /// A program that ends every command with a status and leaves its first and last word.
    private func program(_ place: TemporaryDirectory, status: Int) throws -> URL {
        let path = try place.write("program", "#!/bin/sh\necho $1 >> $(dirname $0)/log\nexit \(status)\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return URL(filePath: path)
    }

    private func log(_ place: TemporaryDirectory) -> [String] {
        let text = try? String(contentsOf: place.url.appending(path: "log"), encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    @Test("A run that diverges is noted, and everything else goes on") func divergence() throws {
        let place = try TemporaryDirectory()
        let jobs = ["one", "two"].map { name in
            TableJob(
                PipelineStep(name, training: training(place.url.appending(path: name).path), name: name),
                needs: []
            )
        }
        let commands = ConcurrentCommands(limit: 1, program: try program(place, status: 75))
        var queue = TableQueue(jobs, commands, say: { _ in })
        try queue.run()
        #expect(try place.fileNames == ["log", "one.diverged", "program", "two.diverged"])
        #expect(log(place) == ["train", "train"])
        var again = TableQueue(jobs, commands, say: { _ in })
        try again.run()
        #expect(log(place).count == 2, "nobody tries again")
    }

    @Test("Any other failure ends the work with its status") func failure() throws {
        let place = try TemporaryDirectory()
        let commands = ConcurrentCommands(limit: 1, program: try program(place, status: 65))
        do {
            try commands.run([.init(name: "a", words: ["first"]), .init(name: "b", words: ["second"])])
            Issue.record("a failed command went unnoticed")
        } catch {
            #expect((error as? PipelineError)?.exitStatus == .data && "\(error)".contains("a failed"))
        }
        #expect(log(place) == ["first"])
    }

    @Test("All commands run, as many at a time as may") func commands() throws {
        let place = try TemporaryDirectory()
        let words = (0..<5).map { ConcurrentCommands.Command(name: "\($0)", words: ["\($0)"]) }
        try ConcurrentCommands(limit: 2, program: try program(place, status: 0)).run(words)
        #expect(log(place).sorted() == ["0", "1", "2", "3", "4"])
    }
}
