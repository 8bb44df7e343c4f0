import Configuration
import Foundation
import JSONText
import TestSupport
import Testing

@testable import Reporting
@testable import Training

private let python = TestPython.path(importing: "tensorboard")

@Suite("Runs that TensorBoard follows")
struct TensorBoardTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    private func eventFiles(_ run: TrainedRun) throws -> [String] {
        try run.fileNames.filter { $0.hasPrefix("events.out.tfevents.") }
    }

    private func configuration() throws -> TrainConfiguration {
        var configuration = try workshop.configuration(.sft)
        configuration.loop.reportTo = [.tensorBoard]
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        configuration.loop.epochs = 2
        return configuration
    }

    /// Checks that an event file holds what `metrics.jsonl` does of the steps behind one.
    private func expectMetrics(of run: TrainedRun, in file: String, after step: Int = 0) throws {
        let expected = try run.metrics.filter { ($0["step"] ?? 0) > Double(step) }
        let scalars = try EventFile.scalars(run.url.appending(path: file))
        #expect(!expected.isEmpty && Set(scalars.keys) == Set(expected.flatMap(\.keys)).subtracting(["step"]))
        for (tag, points) in scalars {
            let known = expected.compactMap { step in step[tag].map { (step["step"], Float($0)) } }
            #expect(points.map { Double($0.step) } == known.map(\.0) && points.map(\.value) == known.map(\.1), "\(tag)")
        }
    }

    @Test(
        "a run writes its metrics into one event file, a resumed run into another one behind it, and a finished run none"
    )
    func files() throws {
        let run = try workshop.train(try configuration())
        let first = try eventFiles(run)
        #expect(first.count == 1)
        try expectMetrics(of: run, in: first[0])
        let killed = try run.killed(after: 2, as: "killed")
        try resume(run: killed.path)
        let both = try eventFiles(killed)
        #expect(both.count == 2 && both[0] == first[0])
        try expectMetrics(of: killed, in: both[1], after: 2)
        try resume(run: killed.path)
        #expect(try eventFiles(killed) == both)
        #expect(try killed.repeatableMetrics == run.repeatableMetrics)
        let again = try Recipe.configuration(readingFrom: run.url.appending(path: "recipe.yaml").path)
        #expect(again.loop.reportTo == [.tensorBoard])
        var silent = try configuration()
        silent.loop.reportTo = []
        silent.loop.output += "-silent"
        #expect(try eventFiles(try workshop.train(silent)).isEmpty)
    }

    @Test(
        "a file that takes no more is given up with a sentence, and the steps go on",
        .enabled(if: FullDevice.isPresent, "\(FullDevice.reason)")
    )
    func full() throws {
        let file = try TensorBoardFile(url: URL(filePath: FullDevice.path), flags: 0, isContinuation: false)
        var said: [String] = []
        let sink = TensorBoardSink(file) { said.append($0) }
        var metrics = Metrics()
        (metrics["step"], metrics["loss"]) = (1, 0.5)
        for _ in 1...3 { sink.append(metrics) }
        #expect(
            said == [
                "/dev/full: cannot be written: No space left on device; the run goes on, and TensorBoard does not see its further steps"
            ]
        )
    }

    @Test(
        "the Python package reads every number of metrics.jsonl, of a run that was killed and resumed too, and sees damage",
        .enabled(
            if: python != nil,
            "no Python that imports tensorboard: name one in $RTO_TEST_PYTHON, or make .venv-test and install it there"
        )
    )
    func agreement() throws {
        let run = try workshop.train(try configuration())
        let killed = try run.killed(after: 2, as: "killed")
        try resume(run: killed.path)
        for run in [run, killed] {
            let expected = try run.metrics
            let read = try JSON(parsing: try output(of: Self.reading, run.path))
            #expect(read["text"] == ["recipe"] && read["damaged"] == true)
            let scalars = try #require(read["scalars"]?.object)
            #expect(Set(scalars.members.map(\.key)) == Set(expected.flatMap(\.keys)).subtracting(["step"]))
            for (name, points) in scalars.members {
                let known = expected.compactMap { step in step[name].map { (Int(step["step"] ?? 0), Double(Float($0))) }
                }
                let found = (points.array ?? []).compactMap { point in
                    point[0]?.integer.flatMap { step in point[1]?.number.map { (step, $0) } }
                }
                #expect(found.map(\.0) == known.map(\.0) && found.map(\.1) == known.map(\.1), "\(name)")
            }
        }
    }

    private static let reading = """
        import glob, json, sys
        from tensorboard.backend.event_processing import event_file_loader, plugin_event_multiplexer, event_accumulator
        run = sys.argv[1]
        legacy = event_accumulator.EventAccumulator(run, {"scalars": 0, "tensors": 0}).Reload()
        scalars = {tag: [(e.step, e.value) for e in legacy.Scalars(tag)] for tag in legacy.Tags()["scalars"]}
        current = plugin_event_multiplexer.EventMultiplexer({"run": run}).Reload()
        assert set(scalars) == set(current.PluginRunToTagToContent("scalars")["run"])
        for tag, points in scalars.items():
            assert [(e.step, e.tensor_proto.float_val[0]) for e in current.Tensors("run", tag)] == points, tag
        text = sorted(current.PluginRunToTagToContent("text")["run"])
        assert b"    stage: sft" in current.Tensors("run", "recipe")[0].tensor_proto.string_val[0]
        path = sorted(glob.glob(run + "/events*"))[0]
        content = bytearray(open(path, "rb").read())
        content[-6] ^= 1
        open(path, "wb").write(content)
        whole = len(list(event_file_loader.EventFileLoader(path).Load()))
        content[-6] ^= 1
        open(path, "wb").write(content)
        damaged = len(list(event_file_loader.EventFileLoader(path).Load())) - whole == 1
        print(json.dumps({"scalars": scalars, "text": text, "damaged": damaged}))
        """

    private func output(of script: String, _ argument: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = ["-c", script, argument]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }
}
