import Configuration
import Foundation
import TestSupport
import Testing

@testable import Training

/// Real training in bfloat16 beside float32: stories260K on real preferences, the same rows in the same order.
///
/// The bands follow from the format. bfloat16 keeps eight bits, so that a token's log-probability is off by about 0.01 to 0.02
/// either way. A mean over thousands of tokens averages that out. A pair of DPO sums it over some hundred tokens of each side: the
/// sum is off by a few tenths, β of which reaches the loss, and a step averages sixteen pairs.
@Suite(
    "Loss curves of two precisions",
    .enabled(
        if: SharedFixtures.contains("models/stories260K") && SharedFixtures.contains("data"),
        "stories260K or the preferences are not in ../shared"
    )
)
struct PrecisionCurveTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func losses(_ stage: Configuration.Stage, _ precision: Precision, _ rate: Double, batch: Int) throws
        -> [Double]
    {
        var configuration = TrainConfiguration(stage: stage)
        configuration.model.model = SharedFixtures.url("models/stories260K").path
        configuration.data.sources = [
            DataSource(path: SharedFixtures.url("data/alpaca_preferences.train.jsonl.gz").path)
        ]
        configuration.data.inputTemplate = "{}"
        if stage == .sft { (configuration.data.promptKey, configuration.data.outputKey) = ("prompt", "chosen") }
        configuration.data.maxLength = 256
        configuration.compute.device = .cpu
        configuration.compute.precision = precision
        configuration.optimizer.learningRate = rate
        configuration.loop.batchSize = batch
        configuration.loop.maxSteps = 20
        configuration.loop.output = directory.url.appending(path: "\(stage)-\(precision)").path
        try Training.train(
            configuration,
            recipe: Recipe(configuration: configuration, commandLine: ["rto"], versions: [])
        )
        return try TrainedRun(url: URL(filePath: configuration.loop.output)).metrics.compactMap { $0["loss"] }
    }

    @Test(
        "bfloat16 follows float32 for twenty steps",
        arguments: [
            (Configuration.Stage.sft, 1e-3, 8, 0.01, 0.003), (.reward, 3e-4, 16, 0.03, 0.01),
            (.dpo, 3e-5, 16, 0.2, 0.03),
        ]
    )
    func curves(_ stage: Configuration.Stage, rate: Double, batch: Int, ofStep: Double, ofTen: Double) throws {
        let wide = try losses(stage, .float32, rate, batch: batch)
        let narrow = try losses(stage, .bfloat16, rate, batch: batch)
        #expect(wide.count == 20)
        let differences = zip(narrow, wide).map { $0 - $1 }
        #expect(differences.contains { $0 != 0 })
        #expect(differences.count == 20)
        #expect(differences.allSatisfy { abs($0) <= ofStep })
        for start in stride(from: 0, to: 20, by: 10) {
            #expect(abs(differences[start..<start + 10].reduce(0, +) / 10) <= ofTen)
        }
        // The curves go somewhere: they are not equal because nothing is learned.
        #expect(wide.suffix(10).reduce(0, +) < wide.prefix(10).reduce(0, +))
    }
}
