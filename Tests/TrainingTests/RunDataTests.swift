import Configuration
import Foundation
import TestSupport
import Testing

@testable import Datasets
@testable import Training

@Suite("The data of a run: their files, and the tokens that it keeps of them")
struct RunDataTests {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test(
        "Learning from a Parquet file is learning from the same rows in JSON lines",
        .enabled(if: !ParquetLibrary.isWithoutArrow, "Apache Arrow is not there and cannot be fetched"),
        arguments: [Configuration.Stage.sft, .dpo]
    )
    func parquet(stage: Configuration.Stage) throws {
        let tokenizer = try TemporaryDirectory()
        _ = try TinyTokenizer.make(in: tokenizer)
        let fixtures = URL(filePath: #filePath).appending(path: "../../DatasetsTests/Fixtures").standardizedFileURL
        let runs = try ["jsonl", "parquet"].map { ending in
            var configuration = try workshop.configuration(stage, output: ending)
            configuration.model.tokenizer = tokenizer.url.path
            configuration.model.model = try workshop.languageModel(
                "reader",
                seed: 1,
                ["vocab_size": .integer(TinyTokenizer.vocabularySize), "eos_token_id": .integer(TinyTokenizer.end)]
            )
            configuration.data.sources = [.init(path: fixtures.appending(path: "ultrafeedback.\(ending)").path)]
            configuration.data.evaluation = configuration.data.sources.map(\.path)
            configuration.loop.batchSize = 2
            configuration.loop.maxSteps = 2
            return try workshop.train(configuration)
        }
        #expect(try runs[0].repeatableMetrics == runs[1].repeatableMetrics)
        #expect(try runs[0].repeatableMetrics.map { $0["step"] } == [1, 2])
        #expect(try runs[0].modelBytes == runs[1].modelBytes)
        let start = try Data(contentsOf: URL(filePath: workshop.path("reader/model.safetensors")))
        #expect(try runs[0].modelBytes != start)
    }

    /// A run that was killed after its second step, as it leaves its tokens.
    private func killed(_ whole: TrainedRun, _ configuration: TrainConfiguration, as name: String) throws -> TrainedRun
    {
        let killed = try whole.killed(after: 2, as: name)
        let run = try RunDirectory(existing: killed.path)
        _ = try StageBuilder(configuration: configuration, run: run, checkpoint: run.checkpoint(2), device: .cpu)
            .build()
        return killed
    }

    @Test("A run whose tokens are damaged says so and leaves them; without them it reads its data again and goes on")
    func damagedTokens() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.loop.epochs = 3
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        let whole = try workshop.train(configuration)
        let damages: [(file: String, change: (inout Data) -> Void)] = [
            // In the words of the first row; in the number of its tokens, behind all words; in the middle of the record.
            ("training.safetensors", { $0[512 + 16] ^= 1 }), ("training.safetensors", { $0.removeLast(16) }),
            ("training.json", { $0 = $0.prefix($0.count / 2) }), ("training.json", { $0 = Data() }),
        ]
        for (number, (file, change)) in damages.enumerated() {
            let killed = try killed(whole, configuration, as: "killed-\(number)")
            let place = killed.url.appending(path: "tokens/" + file)
            var bytes = try Data(contentsOf: place)
            change(&bytes)
            try bytes.write(to: place)
            let error = #expect(throws: DatasetError.self, "\(number)") { try resume(run: killed.path) }
            #expect(error?.path == place.path, "\(number)")
            #expect(error?.description.contains("remove the folder \"tokens\"") == true, "\(number)")
            #expect(try Data(contentsOf: place) == bytes, "\(number)")
            try FileManager.default.removeItem(at: killed.url.appending(path: "tokens"))
            try resume(run: killed.path)
            #expect(try killed.modelBytes == whole.modelBytes, "\(number)")
            #expect(try killed.repeatableMetrics == whole.repeatableMetrics, "\(number)")
            #expect(try killed.fileNames == whole.fileNames, "\(number)")
        }
    }

    @Test("A run whose tokens are missing goes on with no other rows than those it has learned from")
    func missingTokens() throws {
        var configuration = try workshop.configuration(.sft)
        configuration.loop.saveEvery = 1
        configuration.loop.keepCheckpoints = 0
        let whole = try workshop.train(configuration)
        let killed = try killed(whole, configuration, as: "killed")
        let before = try killed.fileNames
        try FileManager.default.removeItem(at: killed.url.appending(path: "tokens"))
        let path = configuration.data.sources[0].path
        let rows = try Data(contentsOf: URL(filePath: path))
        try (rows + rows).write(to: URL(filePath: path))
        #expect(throws: DatasetError(path: path, .changed)) { try resume(run: killed.path) }
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: DatasetError.self) { try resume(run: killed.path) }
        #expect(try killed.fileNames.filter { !$0.hasPrefix(".") } == before.filter { !$0.hasPrefix(".") })
        try rows.write(to: URL(filePath: path))
        try resume(run: killed.path)
        #expect(try killed.modelBytes == whole.modelBytes)
    }
}
