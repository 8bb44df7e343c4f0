import Configuration
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("The run directory")
struct RunDirectoryTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.url.appending(path: "run").path
    }

    private func newRun(_ path: String) throws -> RunDirectory {
        var configuration = TrainConfiguration(stage: .sft)
        configuration.model.model = "model"
        configuration.loop.output = path
        return try RunDirectory(
            new: path,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    @Test("starts in a new directory or an empty one, and nowhere else")
    func places() throws {
        _ = try newRun(path)
        #expect(try names() == ["recipe.yaml"])
        #expect(throws: TrainingError.self) { try newRun(path) }
        let empty = directory.url.appending(path: "empty").path
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
        _ = try newRun(empty)
        let file = try directory.write("file", "text")
        #expect(throws: TrainingError.self) { try newRun(file) }
        #expect(throws: TrainingError.self) { try newRun(file + "/below") }
        let error = #expect(throws: TrainingError.self) { try newRun(directory.url.path) }
        #expect(error?.description.contains("is no run") == true)
        #expect(try directory.fileNames == ["empty", "file", "run"])
    }

    @Test("a run that fails before its first step leaves nothing")
    func discard() throws {
        try newRun(path).discard()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("a checkpoint appears complete or not at all")
    func failingCheckpoint() throws {
        struct DiskFull: Error {}
        let run = try newRun(path)
        try run.writeCheckpoint(1, keeping: 0) { try Data([1]).write(to: $0.appending(path: "weights")) }
        #expect(throws: DiskFull.self) {
            try run.writeCheckpoint(2, keeping: 1) { partial in
                try Data([2]).write(to: partial.appending(path: "weights"))
                #expect(run.checkpointSteps == [1])
                throw DiskFull()
            }
        }
        #expect(run.checkpointSteps == [1])
        #expect(try names() == ["checkpoint-1", "recipe.yaml"])
        #expect(try Data(contentsOf: run.checkpoint(1).appending(path: "weights")) == Data([1]))
    }

    @Test("the newest checkpoints are kept", arguments: [(1, [7]), (2, [5, 7]), (0, [1, 3, 5, 7])])
    func keeping(count: Int, left: [Int]) throws {
        let run = try newRun(path)
        for step in [1, 3, 5, 7] { try run.writeCheckpoint(step, keeping: count) { _ in } }
        #expect(run.checkpointSteps == left)
        #expect(try names() == left.map { "checkpoint-\($0)" } + ["recipe.yaml"])
    }

    @Test("what a kill left half-written is no checkpoint, and goes")
    func partials() throws {
        let run = try newRun(path)
        try FileManager.default.createDirectory(
            at: run.url.appending(path: ".checkpoint-4.partial"),
            withIntermediateDirectories: false
        )
        #expect(run.checkpointSteps.isEmpty)
        run.removePartialFiles()
        #expect(try names() == ["recipe.yaml"])
    }

    @Test("lines of metrics after the checkpoint go, and one that was cut")
    func metrics() throws {
        let run = try newRun(path)
        for step in 1...3 {
            var metrics = Metrics()
            metrics["step"] = Double(step)
            metrics["loss"] = step == 2 ? .nan : 0.5
            try run.append(metrics)
        }
        let file = run.url.appending(path: "metrics.jsonl")
        try (Data(contentsOf: file) + Data("{\"step\":2,\"lo".utf8)).write(to: file)
        try run.truncateMetrics(after: 2)
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text == "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":null}\n")
    }

    @Test("config.json marks a finished run")
    func finished() throws {
        let run = try newRun(path)
        #expect(!run.isFinished)
        try Data("{}".utf8).write(to: run.url.appending(path: "config.json"))
        #expect(run.isFinished)
        #expect(throws: TrainingError.self) { try RunDirectory(existing: directory.url.path) }
    }
}
